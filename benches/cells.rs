//! What a cell costs on its way: being validated, being encoded for COPY, being brought into canonical form.
//!
//! The cells are those of a sample Music Time Machine. `cargo bench` runs them; a name behind it picks one.

#![expect(clippy::expect_used, reason = "what cannot be set up cannot be measured")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mtm::{
    apply::encode::{Encoder, IntegerWidth},
    demo::{SampleOptions, write_sample},
    schema::PgType,
    value::{self, Reading},
    verify::jsonb::Transcoder,
};
use rusqlite::{Connection, types::ValueRef};

/// The texts of a column of the sample, and their bytes.
struct Column {
    name: &'static str,
    pg_type: PgType,
    texts: Vec<String>,
    bytes: u64,
}

fn columns() -> Vec<Column> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sample.db");
    write_sample(&path, SampleOptions::default()).expect("a sample");
    let sample = Connection::open(&path).expect("opens");
    let column = |name, pg_type, sql: &str| {
        let mut statement = sample.prepare(sql).expect("prepares");
        let texts: Vec<String> = statement
            .query_map([], |row| row.get(0))
            .expect("runs")
            .map(|text| text.expect("a text"))
            .collect();
        let bytes = texts.iter().map(|text| text.len() as u64).sum();
        Column { name, pg_type, texts, bytes }
    };
    vec![
        column("jsonb", PgType::Jsonb, "SELECT raw_json FROM tracks WHERE raw_json IS NOT NULL"),
        column("text", PgType::Text, "SELECT track_id FROM snapshots"),
        column("date", PgType::Date, "SELECT snapshot_date FROM snapshots"),
    ]
}

fn validate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("validate");
    for Column { name, pg_type, texts, bytes } in columns() {
        group.throughput(Throughput::Bytes(bytes));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for text in &texts {
                    let cell = ValueRef::Text(text.as_bytes());
                    black_box(value::check(cell, &pg_type, &Reading::Plain).is_ok());
                }
            });
        });
    }
}

fn encode_for_copy(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    for Column { name, pg_type, texts, bytes } in columns() {
        group.throughput(Throughput::Bytes(bytes));
        let (mut encoder, mut buffer) = (Encoder::default(), Vec::new());
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                buffer.clear();
                for text in &texts {
                    let cell = ValueRef::Text(text.as_bytes());
                    let value = value::read_proven(cell, &pg_type, &Reading::Plain).expect("fits");
                    encoder.begin_row(&mut buffer, 1);
                    encoder.field(&mut buffer, &value, IntegerWidth::Eight);
                }
                black_box(buffer.len())
            });
        });
    }
}

fn canonicalise(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("canonicalise");
    for Column { name, pg_type, texts, bytes } in columns() {
        if pg_type != PgType::Jsonb {
            continue;
        }
        group.throughput(Throughput::Bytes(bytes));
        let (mut transcoder, mut out) = (Transcoder::default(), Vec::new());
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                for text in &texts {
                    black_box(transcoder.transcode(text.as_bytes(), &mut out).is_some());
                }
            });
        });
    }
}

criterion_group!(benches, validate, encode_for_copy, canonicalise);
criterion_main!(benches);
