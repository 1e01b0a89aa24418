// Small API descriptions for tests.

import { readApiDescription } from '../../../src/request/openapi/document.ts'

/** A document or a part of one. */
export type Document = Record<string, unknown>

const info = { title: 'T', version: '1' }

/** An operation that is valid in every version. */
export const operation = (rest: Document = {}): Document => ({
  responses: { default: { description: 'anything' } },
  ...rest,
})

/** `paths` with one operation. */
export const paths = { '/a': { get: operation() } }

/** A Swagger 2.0 document. */
export const swagger = (rest: Document): Document => ({
  swagger: '2.0',
  info,
  paths: {},
  ...rest,
})

/** An OpenAPI document. */
export const openapi = (rest: Document, version = '3.0.3'): Document => ({
  openapi: version,
  info,
  paths: {},
  ...rest,
})

/** Reads a document from its JSON. */
export const read = async (
  document: Document,
  base?: string,
): ReturnType<typeof readApiDescription> =>
  await readApiDescription(JSON.stringify(document), { base })
