// Operations for tests, written short.

import type { OperationIndex } from '../../../src/request/openapi/operation-index.ts'
import type { Operation } from '../../../src/request/openapi/operation.ts'

/** `operation('GET /users/{id}')`, with that as its id unless another is given. */
export const operation = (text: string, rest: Partial<Operation> = {}): Operation => {
  const [method = '', template = ''] = text.split(' ')
  return { id: text, method, template, tags: [], deprecated: false, scopes: [[]], ...rest }
}

/** `template {parameters}`, or the outcome. */
export const findIn = (index: OperationIndex, path: string, method = 'GET'): string => {
  const found = index.find(method, path)
  if (found.outcome !== 'matched') return found.outcome
  const values = Object.entries(found.parameters).map(([name, value]) => `${name}=${value}`)
  return [found.operation.template, ...values].join(' ')
}
