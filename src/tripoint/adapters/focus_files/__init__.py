"""Bills in the FOCUS format as files, CSV and Parquet: ours written, anybody's read."""
