// Phase 6 as a whole: what is set, what is removed, and that there is no half.

import assert from 'node:assert/strict'
import type { MaybePromise } from '../../src/runtime/maybe-promise.ts'
import { describe, it } from 'node:test'
import { transform, type Credentials, type TransformResult } from '../../src/transform/apply.ts'
import { kubernetesHeaders } from '../../src/transform/headers/kubernetes-headers.ts'
import { keepsDerived } from '../../src/runtime/derived.ts'
import type {
  Forwarding,
  HeaderPair,
  Transformation,
  Transformer,
} from '../../src/transform/transformer.ts'
import type { HeaderLines } from '../fakes/envoy.ts'
import { outgoing } from '../fakes/outgoing.ts'
import { permitFor } from '../fakes/permit.ts'
import { Granting } from './granting.ts'

const FOREVER = new AbortController().signal

const made = (setHeaders: Forwarding['setHeaders'], ...repeated: string[]): Transformation => ({
  outcome: 'transformed',
  forwarding: {
    setHeaders,
    repeatedHeaders: repeated.map((name) => ({ name, values: ['a', 'b'] })),
  },
})

const transformer = (answer: Transformation | Promise<Transformation>): Transformer => ({
  kind: 'headers',
  transform: () => answer,
})

const apply = (
  transformers: readonly Transformer[],
  headers: HeaderLines = [],
): MaybePromise<TransformResult> =>
  transform(permitFor({ groups: ['a', 'b'] }, { headers }), outgoing(transformers), FOREVER)

const credentialsOf = async (
  transformers: readonly Transformer[],
  headers?: HeaderLines,
): Promise<Credentials> => {
  const result = await apply(transformers, headers)
  assert.equal(result.outcome, 'transformed')
  return result.credentials
}

describe('transform', () => {
  it('removes the credential of the caller, also when nothing is set', async () => {
    const headers: HeaderLines = [
      ['authorization', 'Basic YTpi'],
      ['accept', '*/*'],
    ]
    assert.deepEqual(await credentialsOf([], headers), {
      setHeaders: [],
      repeatedHeaders: [],
      removeHeaders: ['authorization'],
      kinds: [],
    })
  })

  it('scrubs a spoofed x-remote-user in any spelling', async () => {
    const headers: HeaderLines = [
      ['x_remote_user', 'admin'],
      ['X-Remote-Group', 'system:masters'],
      ['x-remote-extra-a%2fb', 'x'],
    ]
    const { removeHeaders } = await credentialsOf([], headers)
    assert.deepEqual(removeHeaders, ['x_remote_user', 'X-Remote-Group', 'x-remote-extra-a%2fb'])
  })

  it('joins anew what one of several transformers makes anew', async () => {
    const kept = (value: string): Transformation =>
      made(keepsDerived<HeaderPair[]>([['x-remote-user', value]]))
    const first = transformer(kept('a'))
    const setWith = async (...others: readonly Transformer[]) =>
      (await credentialsOf([first, ...others])).setHeaders.map(([, value]) => value)
    const [second, third] = [transformer(kept('b')), transformer(kept('c'))]
    for (let time = 0; time < 2; time++) {
      assert.deepEqual(await setWith(second), ['a', 'b'])
      assert.deepEqual(await setWith(second), ['a', 'b'])
      assert.deepEqual(await setWith(third), ['a', 'c'])
      assert.deepEqual(await setWith(second, third), ['a', 'b', 'c'])
    }
  })

  it('joins what several transformers make, in order', async () => {
    const credentials = await credentialsOf([
      transformer(made([['x-remote-user', 'a']], 'x-remote-group')),
      transformer(Promise.resolve(made([['x-cert-subject', 'b']], 'x-remote-extra-a'))),
    ])
    assert.deepEqual(credentials.setHeaders, [
      ['x-remote-user', 'a'],
      ['x-cert-subject', 'b'],
    ])
    assert.deepEqual(
      credentials.repeatedHeaders.map(({ name }) => name),
      ['x-remote-group', 'x-remote-extra-a'],
    )
    assert.deepEqual(credentials.kinds, ['headers']) // audit names each kind once
  })

  it('never removes what it sets, since Envoy removes last', async () => {
    for (const spell of [
      (name: string) => name,
      (name: string) => name.toUpperCase(),
      (name: string) => name.replaceAll('-', '_'),
    ]) {
      const headers: HeaderLines = [
        [spell('x-remote-user'), 'admin'],
        [spell('x-remote-uid'), '0'],
      ]
      const { setHeaders, removeHeaders } = await credentialsOf([kubernetesHeaders()], headers)
      // Envoy compares names without regard to case.
      const removed = new Set(removeHeaders.map((name) => name.toLowerCase()))
      assert.ok(setHeaders.length > 0)
      for (const [name] of setHeaders) assert.ok(!removed.has(name), spell(name))
    }
  })

  it('removes what the caller sent of a header with several lines, which Envoy adds to', async () => {
    const headers: HeaderLines = [['x-remote-group', 'system:masters']]
    const { repeatedHeaders, removeHeaders } = await credentialsOf([kubernetesHeaders()], headers)
    assert.equal(repeatedHeaders[0]?.name, 'x-remote-group')
    assert.deepEqual(removeHeaders, ['x-remote-group'])
  })
})

describe('headers and a certificate', () => {
  const SECRET = { name: 'a-handle', digest: 'digest' }
  const certificate: Transformer = {
    kind: 'certificate',
    transform: () => ({
      outcome: 'transformed',
      forwarding: { setHeaders: [], repeatedHeaders: [], secret: SECRET },
    }),
  }

  it('go together, in either order', async () => {
    for (const transformers of [
      [kubernetesHeaders(), certificate],
      [certificate, kubernetesHeaders()],
    ]) {
      const credentials = await credentialsOf(transformers, [['authorization', 'Basic YTpi']])
      assert.deepEqual(credentials, {
        setHeaders: [['x-remote-user', 'alice']],
        repeatedHeaders: [{ name: 'x-remote-group', values: ['a', 'b'] }],
        secret: SECRET,
        removeHeaders: ['authorization'],
        kinds: transformers.map(({ kind }) => kind),
      })
    }
  })

  it('leave no trace of the other where only one is made', async () => {
    const headers: HeaderLines = [['x-remote-user', 'admin']]
    assert.deepEqual(await credentialsOf([certificate], headers), {
      setHeaders: [],
      repeatedHeaders: [],
      secret: SECRET,
      removeHeaders: ['x-remote-user'],
      kinds: ['certificate'],
    })
    assert.ok(!('secret' in (await credentialsOf([kubernetesHeaders()]))))
    const both = [kubernetesHeaders(), transformer(made([['x-cert-subject', 'b']]))]
    assert.ok(!('secret' in (await credentialsOf(both))))
  })

  it('are both nothing when the certificate cannot be made', async () => {
    const real = new Granting({ subject: {}, delegate: {} }).transformer
    const failure = { outcome: 'failed', code: 'certificate-missing' }
    assert.deepEqual(await apply([kubernetesHeaders(), real]), failure)
    assert.deepEqual(await apply([real, kubernetesHeaders()]), failure)
  })
})

describe('a transformer that fails', () => {
  const FAILURES: readonly Transformation[] = [
    { outcome: 'failed', code: 'headers-too-large' },
    { outcome: 'failed', code: 'header-unrepresentable' },
    { outcome: 'failed', code: 'certificate-reserved' },
    { outcome: 'failed', code: 'credential-expired' },
    { outcome: 'unavailable', cause: 'down' },
  ]
  for (const failure of FAILURES) {
    const name = failure.outcome === 'failed' ? failure.code : failure.outcome
    it(`${name}: leaves nothing that earlier transformers made`, async () => {
      const fine = transformer(made([['x-remote-user', 'a']]))
      assert.deepEqual(await apply([fine, transformer(failure), fine]), failure)
      assert.deepEqual(await apply([transformer(failure)]), failure)
    })
  }

  it('spares the later ones', async () => {
    const fatal: Transformer = {
      kind: 'headers',
      transform: () => {
        throw new Error('asked all the same')
      },
    }
    const failure: Transformation = { outcome: 'failed', code: 'headers-too-large' }
    assert.deepEqual(await apply([transformer(failure), fatal]), failure)
  })

  it('by a throw lets it through to the boundary', async () => {
    const bug = transformer(Promise.reject(new Error('bug')))
    await assert.rejects(async () => await apply([bug]), /bug/)
  })
})
