// Original file: proto/countersign/grant/v1/grant.proto

import type { Extension as _countersign_grant_v1_Extension, Extension__Output as _countersign_grant_v1_Extension__Output } from '../../../countersign/grant/v1/Extension.ts';
import type { Long } from '@grpc/proto-loader';

export interface Grant {
  /**
   * the signing CA, by its name in signer.yaml
   */
  'authority'?: (string);
  /**
   * where the decision was made, for the log of issuances
   */
  'route'?: (string);
  /**
   * and by whom the caller was proven
   */
  'authenticator'?: (string);
  /**
   * DER of a Name
   */
  'subject'?: (Buffer | Uint8Array | string);
  /**
   * in the order in which they will stand
   */
  'extensions'?: (_countersign_grant_v1_Extension)[];
  /**
   * seconds since the epoch, as are the others
   */
  'not_before'?: (number | string | Long);
  'not_after'?: (number | string | Long);
  /**
   * from then on authz asks for another one
   */
  'renew_at'?: (number | string | Long);
}

export interface Grant__Output {
  /**
   * the signing CA, by its name in signer.yaml
   */
  'authority': (string);
  /**
   * where the decision was made, for the log of issuances
   */
  'route': (string);
  /**
   * and by whom the caller was proven
   */
  'authenticator': (string);
  /**
   * DER of a Name
   */
  'subject': (Buffer);
  /**
   * in the order in which they will stand
   */
  'extensions': (_countersign_grant_v1_Extension__Output)[];
  /**
   * seconds since the epoch, as are the others
   */
  'not_before': (string);
  'not_after': (string);
  /**
   * from then on authz asks for another one
   */
  'renew_at': (string);
}
