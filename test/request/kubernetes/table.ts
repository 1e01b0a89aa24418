// Tables of request lines and what is read of them.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Headers } from '../../../src/request/headers.ts'
import { readKubernetes } from '../../../src/request/kubernetes/request-info.ts'
import { readPath } from '../../../src/request/path.ts'

const NO_HEADERS = new Headers([])

interface Case {
  readonly name: string
  /** `METHOD TARGET`. */
  readonly input: string
  /**
   * `VERB PREFIX/GROUP/VERSION NAMESPACE RESOURCE/SUBRESOURCE NAME` and the selectors, with `-` for
   * what is empty; `VERB` and the prefix of a path without a resource; or the code of a refusal.
   */
  readonly want: string
}

/** One test for each case, which goes the way of a request: `readPath`, then `readKubernetes`. */
export const table = (cases: readonly Case[]): void => {
  for (const { name, input, want } of cases) {
    it(`${name}: ${input.slice(0, 100)}`, () => {
      assert.equal(read(input), want)
    })
  }
}

const read = (line: string): string => {
  const [method = '', target = ''] = line.split(' ')
  const reading = readPath(target)
  if (reading.outcome === 'refused') return reading.code
  const { path, query } = reading
  const result = readKubernetes({ method, path, query, headers: NO_HEADERS })
  if (result.outcome === 'refused') return result.code
  const { kubernetes } = result
  assert.equal(kubernetes.path, path)
  const { verb, apiPrefix, apiGroup, apiVersion, namespace, resource, subresource } = kubernetes
  const kind = join('/', resource, subresource)
  const api = join('/', apiPrefix, apiGroup, apiVersion)
  if (!kubernetes.isResource) {
    assert.equal(join('', apiGroup, apiVersion, namespace, kind, kubernetes.name), '')
    return join(' ', verb, api)
  }
  const { name, fieldSelector, labelSelector } = kubernetes
  const attributes = [verb, api, namespace, kind, name].map((value) => value || '-')
  return join(' ', ...attributes, fieldSelector, labelSelector)
}

const join = (separator: string, ...texts: readonly string[]): string =>
  texts.filter((text) => text !== '').join(separator)
