// The `impersonation` preset: identity → Impersonate-* headers, as kube-apiserver reads them.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Identity } from '../../../src/identity/identity.ts'
import { impersonatedIdentity } from '../../../src/transform/headers/kubernetes-headers.ts'
import { isStripped } from '../../../src/request/stripped-headers.ts'
import type { Forwarding } from '../../../src/transform/transformer.ts'
import { HOSTILE } from '../../fakes/hostile-text.ts'
import { extraKey, fieldValue, linesOf } from '../../fakes/receivers.ts'
import { forwardingOf, outcomeOf, writtenOf } from '../../fakes/transformed.ts'

const PREFIX = 'impersonate-extra-'

/** The identity of the request at kube-apiserver (buildImpersonationRequests). */
const readBy = (forwarding: Forwarding) => {
  const names = [
    ...forwarding.setHeaders.map(([name]) => name),
    ...forwarding.repeatedHeaders.map(({ name }) => name),
  ]
  assert.equal(new Set(names).size, names.length, 'a header stands twice')
  const valuesOf = (name: string) => linesOf(forwarding, name).map(fieldValue)
  const [user, ...more] = valuesOf('impersonate-user')
  assert.ok(user !== undefined && user !== '', 'kube-apiserver wants a user')
  assert.deepEqual(more, [])
  const extra = names
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => [extraKey(name, PREFIX), valuesOf(name)] as const)
  return {
    user,
    uid: valuesOf('impersonate-uid'),
    groups: valuesOf('impersonate-group'),
    extra: Object.fromEntries(extra),
  }
}

describe('the impersonation headers', () => {
  const CASES: readonly {
    readonly name: string
    readonly input: Partial<Identity>
    readonly want: ReturnType<typeof readBy>
  }[] = [
    { name: 'of a user alone', input: {}, want: { user: 'alice', uid: [], groups: [], extra: {} } },
    {
      name: 'of everything there is',
      input: {
        user: 'jürgen',
        uid: '42',
        groups: ['ops', 'with, comma'],
        extra: { 'example.org/Team': ['blue', 'red'], plan: ['gold'], none: [] },
      },
      want: {
        user: 'jürgen',
        uid: ['42'],
        groups: ['ops', 'with, comma'],
        extra: { 'example.org/team': ['blue', 'red'], plan: ['gold'] },
      },
    },
    {
      name: 'of keys that differ in case alone, which the API server takes for one',
      input: { extra: { team: ['a'], Team: ['b'] } },
      want: { user: 'alice', uid: [], groups: [], extra: { team: ['a', 'b'] } },
    },
  ]
  for (const { name, input, want } of CASES) {
    it(name, async () => {
      const forwarding = await forwardingOf(impersonatedIdentity(), input)
      const withoutEmpty = Object.entries(readBy(forwarding).extra).filter(([, all]) => all.length)
      assert.deepEqual({ ...readBy(forwarding), extra: Object.fromEntries(withoutEmpty) }, want)
    })
  }

  it('are all stripped from what a caller sends', async () => {
    const identity = { uid: '1', groups: ['a', 'b'], extra: { team: ['a'], 'x/y': ['b', 'c'] } }
    const { setHeaders, repeatedHeaders } = await forwardingOf(impersonatedIdentity(), identity)
    const names = [...setHeaders.map(([name]) => name), ...repeatedHeaders.map(({ name }) => name)]
    assert.equal(names.length, 5)
    for (const name of names) assert.ok(isStripped(name), name)
  })

  it('are refused where they are too large', async () => {
    const groups = Array.from({ length: 2_000 }, (_, index) => `group-${index}`)
    assert.equal(await outcomeOf(impersonatedIdentity(), { groups }), 'headers-too-large')
  })
})

describe('a hostile identity in impersonation headers', () => {
  for (const [name, text] of Object.entries(HOSTILE)) {
    it(`is read as it is, or nothing is forwarded: ${name}`, async () => {
      const identities: readonly Partial<Identity>[] = [
        { user: text },
        { uid: text },
        { groups: ['dev', text] },
        { groups: [text] },
        { extra: { team: [text, 'blue'] } },
      ]
      for (const identity of identities) {
        const written = await writtenOf(impersonatedIdentity(), identity)
        if (written === undefined) continue
        const { user = 'alice', uid, groups = [], extra = {} } = identity
        const want = { user, uid: uid === undefined ? [] : [uid], groups, extra }
        assert.deepEqual(readBy(written), want, JSON.stringify(identity).slice(0, 99))
      }
    })

    it(`is read as it is in the key of an attribute: ${name}`, async () => {
      const key = text.slice(0, 10_000)
      const written = await writtenOf(impersonatedIdentity(), { extra: { [key]: ['v'] } })
      if (written === undefined || !key.isWellFormed()) return
      assert.deepEqual(readBy(written).extra, { [key.toLowerCase()]: ['v'] })
    })
  }
})
