// Original file: proto/envoy/service/auth/v3/external_auth.proto

import type { HeaderValueOption as _envoy_config_core_v3_HeaderValueOption, HeaderValueOption__Output as _envoy_config_core_v3_HeaderValueOption__Output } from '../../../../envoy/config/core/v3/HeaderValueOption.ts';

export interface OkHttpResponse {
  /**
   * to the upstream
   */
  'headers'?: (_envoy_config_core_v3_HeaderValueOption)[];
  /**
   * applied after the headers above
   */
  'headers_to_remove'?: (string)[];
  /**
   * to the caller
   */
  'response_headers_to_add'?: (_envoy_config_core_v3_HeaderValueOption)[];
}

export interface OkHttpResponse__Output {
  /**
   * to the upstream
   */
  'headers': (_envoy_config_core_v3_HeaderValueOption__Output)[];
  /**
   * applied after the headers above
   */
  'headers_to_remove': (string)[];
  /**
   * to the caller
   */
  'response_headers_to_add': (_envoy_config_core_v3_HeaderValueOption__Output)[];
}
