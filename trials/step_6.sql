-- From version 5 to 6: no BLAS is among what decisions are computed with any more.

ALTER TABLE machine RENAME COLUMN blas TO libraries;
