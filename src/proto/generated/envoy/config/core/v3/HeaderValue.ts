// Original file: proto/envoy/config/core/v3/base.proto


export interface HeaderValue {
  'key'?: (string);
  'value'?: (string);
  /**
   * instead of value, where the bytes need not be UTF-8
   */
  'raw_value'?: (Buffer | Uint8Array | string);
}

export interface HeaderValue__Output {
  'key': (string);
  'value': (string);
  /**
   * instead of value, where the bytes need not be UTF-8
   */
  'raw_value': (Buffer);
}
