// Original file: proto/envoy/service/discovery/v3/discovery.proto

import type { Node as _envoy_config_core_v3_Node, Node__Output as _envoy_config_core_v3_Node__Output } from '../../../../envoy/config/core/v3/Node.ts';
import type { Status as _google_rpc_Status, Status__Output as _google_rpc_Status__Output } from '../../../../google/rpc/Status.ts';

export interface DeltaDiscoveryRequest {
  /**
   * in the first request of a stream
   */
  'node'?: (_envoy_config_core_v3_Node | null);
  'type_url'?: (string);
  'resource_names_subscribe'?: (string)[];
  'resource_names_unsubscribe'?: (string)[];
  /**
   * name → version; in the first request only
   */
  'initial_resource_versions'?: ({[key: string]: string});
  /**
   * the response that this request acknowledges or rejects
   */
  'response_nonce'?: (string);
  /**
   * why it is rejected
   */
  'error_detail'?: (_google_rpc_Status | null);
}

export interface DeltaDiscoveryRequest__Output {
  /**
   * in the first request of a stream
   */
  'node': (_envoy_config_core_v3_Node__Output | null);
  'type_url': (string);
  'resource_names_subscribe': (string)[];
  'resource_names_unsubscribe': (string)[];
  /**
   * name → version; in the first request only
   */
  'initial_resource_versions': ({[key: string]: string});
  /**
   * the response that this request acknowledges or rejects
   */
  'response_nonce': (string);
  /**
   * why it is rejected
   */
  'error_detail': (_google_rpc_Status__Output | null);
}
