// What kubectl says to a plugin and what it is answered.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { execCredential, readExecInfo } from '../../../src/cli/login/exec-credential.ts'

const info = (changes: object = {}): string =>
  JSON.stringify({
    kind: 'ExecCredential',
    apiVersion: 'client.authentication.k8s.io/v1',
    spec: { interactive: true },
    ...changes,
  })

describe('KUBERNETES_EXEC_INFO', () => {
  const GOOD: readonly {
    name: string
    text: string | undefined
    terminal: boolean
    want: object
  }[] = [
    { name: 'with interactive: true', text: info(), terminal: true, want: { interactive: true } },
    {
      name: 'with interactive: true, without a terminal',
      text: info(),
      terminal: false,
      want: { interactive: false },
    },
    {
      name: 'with interactive: false',
      text: info({ spec: { interactive: false } }),
      terminal: true,
      want: { interactive: false },
    },
    {
      name: 'without interactive',
      text: info({ spec: {} }),
      terminal: true,
      want: { interactive: false },
    },
    {
      name: 'without spec',
      text: info({ spec: null }),
      terminal: true,
      want: { interactive: false },
    },
    {
      name: 'of v1beta1',
      text: info({ apiVersion: 'client.authentication.k8s.io/v1beta1' }),
      terminal: true,
      want: { apiVersion: 'client.authentication.k8s.io/v1beta1', interactive: true },
    },
    {
      name: 'that is missing, at a terminal',
      text: undefined,
      terminal: true,
      want: { interactive: true },
    },
    {
      name: 'that is missing, without a terminal',
      text: '',
      terminal: false,
      want: { interactive: false },
    },
  ]
  for (const { name, text, terminal, want } of GOOD) {
    it(`is read ${name}`, () => {
      assert.deepEqual(readExecInfo(text, terminal), {
        apiVersion: 'client.authentication.k8s.io/v1',
        ...want,
      })
    })
  }

  const BAD: readonly { name: string; text: string; says: RegExp }[] = [
    { name: 'not JSON', text: '{', says: /holds no ExecCredential/ },
    { name: 'not an object', text: '[]', says: /holds no ExecCredential/ },
    { name: 'of another kind', text: info({ kind: 'Pod' }), says: /holds no ExecCredential/ },
    {
      name: 'of version v1alpha1',
      text: info({ apiVersion: 'client.authentication.k8s.io/v1alpha1' }),
      says: /write "apiVersion: client\.authentication\.k8s\.io\/v1" in the kubeconfig/,
    },
    {
      name: 'of version v2',
      text: info({ apiVersion: 'client.authentication.k8s.io/v2' }),
      says: /version/,
    },
    { name: 'without a version', text: info({ apiVersion: undefined }), says: /version/ },
  ]
  for (const { name, text, says } of BAD) {
    it(`is refused where it is ${name}`, () => {
      assert.throws(() => readExecInfo(text, true), { code: 'usage', message: says })
    })
  }
})

describe('an ExecCredential', () => {
  const v1 = { apiVersion: 'client.authentication.k8s.io/v1', interactive: false }

  it('has the form that kubectl reads', () => {
    assert.equal(
      execCredential(v1, 'a.b.c', Date.UTC(2026, 10, 25, 12, 0, 0, 999)),
      '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"a.b.c","expirationTimestamp":"2026-11-25T12:00:00Z"}}\n',
    )
  })

  it('has no expirationTimestamp where the end is unknown', () => {
    assert.deepEqual(JSON.parse(execCredential(v1, 'a', undefined)).status, { token: 'a' })
  })
})
