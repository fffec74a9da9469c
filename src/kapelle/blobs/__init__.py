"""Places where large encoded values are kept, behind the port `kapelle.ports.blobs`."""
