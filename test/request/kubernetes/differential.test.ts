// Our reading against the API server's own code: it agrees on every attribute, or we refuse.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  readKubernetes,
  type KubernetesRequest,
} from '../../../src/request/kubernetes/request-info.ts'
import { readRequest } from '../../../src/request/request.ts'
import { randomFrom } from '../../fakes/random.ts'
import {
  requestInfoOf,
  skipWithoutRequestInfo,
  type RequestInfoAnswer,
  type RequestLine,
} from '../../servers/request-info.ts'
import { hostileLines } from './hostile.ts'
import { ORDINARY } from './lines.ts'

const SEED = 11
const COUNT = 10_000

type Ours = KubernetesRequest | string

/** As it goes in the pipeline; a text is the code of a refusal. */
const read = ({ method, target }: RequestLine): Ours => {
  const reading = readRequest({
    sourceAddress: '192.0.2.1',
    sourcePort: 1,
    peerCertificate: '',
    method,
    path: target,
    host: 'kubernetes',
    headers: [],
    contextExtensions: new Map(),
    serverName: '',
  })
  if (reading.outcome === 'refused') return reading.code
  const kubernetes = readKubernetes(reading.request)
  return kubernetes.outcome === 'refused' ? kubernetes.code : kubernetes.kubernetes
}

const theirs = (answer: RequestInfoAnswer): KubernetesRequest | undefined =>
  'Error' in answer
    ? undefined
    : {
        isResource: answer.IsResourceRequest,
        verb: answer.Verb,
        path: answer.Path,
        apiPrefix: answer.APIPrefix,
        apiGroup: answer.APIGroup,
        apiVersion: answer.APIVersion,
        namespace: answer.Namespace,
        resource: answer.Resource,
        subresource: answer.Subresource,
        name: answer.Name,
        parts: answer.Parts ?? [],
        fieldSelector: answer.FieldSelector,
        labelSelector: answer.LabelSelector,
      }

/** Fails at the first line that is read otherwise than the API server reads it. */
const compare = async (lines: readonly RequestLine[]): Promise<readonly Ours[]> => {
  const answers = await requestInfoOf(lines)
  return lines.map((line, index) => {
    const ours = read(line)
    const answer = answers[index]
    assert.ok(answer !== undefined)
    if (typeof ours !== 'string') {
      const message = `${line.method} ${line.target.slice(0, 400)} (seed ${SEED})`
      assert.deepEqual({ line: message, ...ours }, { line: message, ...theirs(answer) })
    }
    return ours
  })
}

describe(
  'RequestInfo of k8s.io/apiserver',
  { skip: skipWithoutRequestInfo(), timeout: 60_000 },
  () => {
    it('agrees on what clients send, and nothing of it is refused', async () => {
      const readings = await compare(ORDINARY)
      assert.deepEqual(
        ORDINARY.filter((_, index) => typeof readings[index] === 'string'),
        [],
      )
    })

    it(`agrees on ${COUNT} hostile lines, or we refuse them (seed ${SEED})`, async (test) => {
      const readings = await compare(hostileLines(randomFrom(SEED), COUNT))
      const counts = new Map<string, number>()
      for (const reading of readings) {
        const kind = typeof reading === 'string' ? reading : reading.verb || 'no verb'
        counts.set(kind, (counts.get(kind) ?? 0) + 1)
      }
      test.diagnostic(JSON.stringify(Object.fromEntries(counts)))
      const refused = readings.filter((reading) => typeof reading === 'string').length
      assert.ok(refused < COUNT * 0.5, `${refused} refused`)
      assert.ok(refused > COUNT * 0.1, `${refused} refused`)
      for (const verb of [
        'get',
        'list',
        'watch',
        'deletecollection',
        'delete',
        'create',
        'proxy',
      ]) {
        assert.ok((counts.get(verb) ?? 0) > COUNT * 0.01, verb)
      }
      const named = readings.filter(
        (reading) =>
          typeof reading !== 'string' && /^(list|watch)$/.test(reading.verb) && reading.name !== '',
      ).length
      assert.ok(named > COUNT * 0.005, `${named} names from field selectors`)
    })
  },
)
