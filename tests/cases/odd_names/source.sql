CREATE TABLE "Odd ""t's" ("k'1" TEXT, "K""2" INTEGER, "$mtm$" TEXT, "when" TEXT, PRIMARY KEY ("k'1", "K""2"));
INSERT INTO "Odd ""t's" VALUES ('a', 1, '10', '2024-01-02 10:00:00'), ('a', 2, '20', '2024-07-02 10:00:00'), ('b', 1, '30', NULL);
