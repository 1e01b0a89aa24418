// Original file: proto/envoy/service/auth/v3/attribute_context.proto

import type { Address as _envoy_config_core_v3_Address, Address__Output as _envoy_config_core_v3_Address__Output } from '../../../../envoy/config/core/v3/Address.ts';
import type { HeaderMap as _envoy_config_core_v3_HeaderMap, HeaderMap__Output as _envoy_config_core_v3_HeaderMap__Output } from '../../../../envoy/config/core/v3/HeaderMap.ts';

export interface _envoy_service_auth_v3_AttributeContext_HttpRequest {
  'method'?: (string);
  /**
   * repeated names already merged
   */
  'headers'?: ({[key: string]: string});
  /**
   * as received, query included
   */
  'path'?: (string);
  'host'?: (string);
  /**
   * one entry per line; needs encode_raw_headers
   */
  'header_map'?: (_envoy_config_core_v3_HeaderMap | null);
}

export interface _envoy_service_auth_v3_AttributeContext_HttpRequest__Output {
  'method': (string);
  /**
   * repeated names already merged
   */
  'headers': ({[key: string]: string});
  /**
   * as received, query included
   */
  'path': (string);
  'host': (string);
  /**
   * one entry per line; needs encode_raw_headers
   */
  'header_map': (_envoy_config_core_v3_HeaderMap__Output | null);
}

export interface _envoy_service_auth_v3_AttributeContext_Peer {
  'address'?: (_envoy_config_core_v3_Address | null);
  /**
   * a SAN or the subject, as Envoy picked it
   */
  'principal'?: (string);
  /**
   * leaf, PEM, URL-encoded; needs include_peer_certificate
   */
  'certificate'?: (string);
}

export interface _envoy_service_auth_v3_AttributeContext_Peer__Output {
  'address': (_envoy_config_core_v3_Address__Output | null);
  /**
   * a SAN or the subject, as Envoy picked it
   */
  'principal': (string);
  /**
   * leaf, PEM, URL-encoded; needs include_peer_certificate
   */
  'certificate': (string);
}

export interface _envoy_service_auth_v3_AttributeContext_Request {
  'http'?: (_envoy_service_auth_v3_AttributeContext_HttpRequest | null);
}

export interface _envoy_service_auth_v3_AttributeContext_Request__Output {
  'http': (_envoy_service_auth_v3_AttributeContext_HttpRequest__Output | null);
}

export interface _envoy_service_auth_v3_AttributeContext_TLSSession {
  'sni'?: (string);
}

export interface _envoy_service_auth_v3_AttributeContext_TLSSession__Output {
  'sni': (string);
}

export interface AttributeContext {
  'source'?: (_envoy_service_auth_v3_AttributeContext_Peer | null);
  'request'?: (_envoy_service_auth_v3_AttributeContext_Request | null);
  /**
   * set by the operator, per route
   */
  'context_extensions'?: ({[key: string]: string});
  /**
   * needs include_tls_session
   */
  'tls_session'?: (_envoy_service_auth_v3_AttributeContext_TLSSession | null);
}

export interface AttributeContext__Output {
  'source': (_envoy_service_auth_v3_AttributeContext_Peer__Output | null);
  'request': (_envoy_service_auth_v3_AttributeContext_Request__Output | null);
  /**
   * set by the operator, per route
   */
  'context_extensions': ({[key: string]: string});
  /**
   * needs include_tls_session
   */
  'tls_session': (_envoy_service_auth_v3_AttributeContext_TLSSession__Output | null);
}
