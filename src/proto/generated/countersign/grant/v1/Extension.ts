// Original file: proto/countersign/grant/v1/grant.proto


export interface Extension {
  'oid'?: (string);
  'critical'?: (boolean);
  /**
   * DER, inside of the OCTET STRING
   */
  'value'?: (Buffer | Uint8Array | string);
}

export interface Extension__Output {
  'oid': (string);
  'critical': (boolean);
  /**
   * DER, inside of the OCTET STRING
   */
  'value': (Buffer);
}
