// Original file: proto/envoy/service/discovery/v3/discovery.proto

import type { Resource as _envoy_service_discovery_v3_Resource, Resource__Output as _envoy_service_discovery_v3_Resource__Output } from '../../../../envoy/service/discovery/v3/Resource.ts';

export interface DeltaDiscoveryResponse {
  /**
   * for people who debug
   */
  'system_version_info'?: (string);
  'resources'?: (_envoy_service_discovery_v3_Resource)[];
  'type_url'?: (string);
  'nonce'?: (string);
  /**
   * there is no such thing, or no longer
   */
  'removed_resources'?: (string)[];
}

export interface DeltaDiscoveryResponse__Output {
  /**
   * for people who debug
   */
  'system_version_info': (string);
  'resources': (_envoy_service_discovery_v3_Resource__Output)[];
  'type_url': (string);
  'nonce': (string);
  /**
   * there is no such thing, or no longer
   */
  'removed_resources': (string)[];
}
