CREATE TYPE length AS ENUM ('short', 'longer');
CREATE TYPE feeling AS ENUM ('sad', 'so so');
CREATE DOMAIN state AS text
