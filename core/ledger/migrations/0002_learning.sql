-- What people make of recommendations, and what is learnt from it.
-- `kind` NULL stands for 'usefulness': rows older than the column.
ALTER TABLE feedback ADD COLUMN kind VARCHAR;
ALTER TABLE profiles ADD COLUMN learns BOOLEAN;
ALTER TABLE profiles ADD COLUMN forgotten_until TIMESTAMPTZ;
ALTER TABLE recommendations ADD COLUMN curve VARCHAR;
CREATE TABLE curves (
    curve_id VARCHAR, ts TIMESTAMPTZ, ranker VARCHAR, ranker_version VARCHAR, slope DOUBLE, intercept DOUBLE,
    fitted_on BIGINT, tested_on BIGINT, log_loss_before DOUBLE, log_loss_after DOUBLE, adopted BOOLEAN, reason VARCHAR
);
