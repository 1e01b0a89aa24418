// What ends a connection whose header blocks cannot be decoded.

/** A header block that no encoder of RFC 7541 writes: the connection ends with COMPRESSION_ERROR. */
export class HpackError extends Error {}
