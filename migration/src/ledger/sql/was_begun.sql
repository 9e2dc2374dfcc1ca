-- Whether step $4 was begun, done or not.
SELECT number FROM {step} WHERE target_schema = $1 AND version = $2 AND section = $3 AND number = $4
