//! File-based operator catalogs: read as streams, filtered by package, channel and version, checked as OLM does.
