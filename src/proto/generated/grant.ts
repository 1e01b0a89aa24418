import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Extension as _countersign_grant_v1_Extension, Extension__Output as _countersign_grant_v1_Extension__Output } from './countersign/grant/v1/Extension.ts';
import type { Grant as _countersign_grant_v1_Grant, Grant__Output as _countersign_grant_v1_Grant__Output } from './countersign/grant/v1/Grant.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  countersign: {
    grant: {
      v1: {
        Extension: MessageTypeDefinition<_countersign_grant_v1_Extension, _countersign_grant_v1_Extension__Output>
        Grant: MessageTypeDefinition<_countersign_grant_v1_Grant, _countersign_grant_v1_Grant__Output>
      }
    }
  }
}

