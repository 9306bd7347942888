"""XML: records cut out of documents that stream by, and elements as columns."""
