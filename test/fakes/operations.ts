// A described API of one operation.

import { OperationIndex } from '../../src/request/openapi/operation-index.ts'

/** `GET /users`, which needs these scopes. */
export const operationsNeeding = (...scopes: readonly string[]): OperationIndex =>
  new OperationIndex(
    [
      {
        id: 'listUsers',
        method: 'GET',
        template: '/users',
        tags: [],
        deprecated: false,
        scopes: [scopes],
      },
    ],
    '',
  )
