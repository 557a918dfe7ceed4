"""The game: records, codecs, rewards and backends. Imports nothing above it."""
