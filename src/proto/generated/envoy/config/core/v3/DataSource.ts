// Original file: proto/envoy/config/core/v3/base.proto


export interface DataSource {
  'inline_bytes'?: (Buffer | Uint8Array | string);
  'specifier'?: "inline_bytes";
}

export interface DataSource__Output {
  'inline_bytes'?: (Buffer);
  'specifier'?: "inline_bytes";
}
