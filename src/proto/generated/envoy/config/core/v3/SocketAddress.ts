// Original file: proto/envoy/config/core/v3/address.proto


export interface SocketAddress {
  /**
   * the IP address, in text
   */
  'address'?: (string);
  'port_value'?: (number);
  'port_specifier'?: "port_value";
}

export interface SocketAddress__Output {
  /**
   * the IP address, in text
   */
  'address': (string);
  'port_value'?: (number);
  'port_specifier'?: "port_value";
}
