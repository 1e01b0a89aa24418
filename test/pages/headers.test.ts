// The headers of pages: the policy allows only what a page needs, whatever its arguments.

import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { pageHeaders } from '../../src/pages/headers.ts'
import type { Theme } from '../../src/pages/theme.ts'
import { themeOf } from '../fakes/pages.ts'

describe('the headers of a page', () => {
  let theme: Theme
  before(async () => {
    theme = await themeOf()
  })
  const headersOf = (
    formTargets?: readonly string[],
    origin = 'https://id.example.org',
  ): Readonly<Record<string, string>> => pageHeaders({ theme, language: 'de', origin, formTargets })
  const directive = (name: string, formTargets?: readonly string[]): string | undefined => {
    const { 'content-security-policy': policy = '' } = headersOf(formTargets)
    const found = policy.split('; ').find((text) => text.startsWith(`${name} `))
    return found?.slice(name.length + 1)
  }

  it('are exactly the expected ones', () => {
    const {
      'content-security-policy': policy,
      'permissions-policy': permissions,
      ...rest
    } = headersOf([])
    assert.deepEqual(rest, {
      'content-type': 'text/html; charset=utf-8',
      'content-language': 'de',
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
      vary: 'accept-language',
      'strict-transport-security': 'max-age=31536000',
    })
    assert.match(
      policy ?? '',
      /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; /,
    )
    assert.match(permissions ?? '', /^([a-z-]+=\(\), )+[a-z-]+=\(\)$/)
    assert.equal(directive('frame-ancestors', []), "'none'")
    assert.equal(directive('base-uri', []), "'none'")
    assert.equal(directive('img-src', []), 'data:')
  })

  it('have a policy without unsafe sources, wildcards and schemes that run code', () => {
    const { 'content-security-policy': policy = '' } = headersOf(['https://app.example.org/cb'])
    assert.doesNotMatch(policy, /unsafe|\*|javascript:|blob:|http:/)
    assert.doesNotMatch(policy, /(default|script|style|form)-[a-z]+[^;]*data:/)
  })

  it('allow neither forms nor a script on a page without forms', () => {
    assert.equal(directive('form-action'), "'none'")
    assert.equal(directive('script-src'), undefined)
  })

  it('allow forms to lead to the origins of their targets', () => {
    const targets = [
      'https://app.example.org/.countersign/callback?x=1',
      'https://app.example.org/other',
      'https://app.example.org:8443/cb',
      'http://127.0.0.1:8000/',
      'http://localhost:18000',
      'https://bücher.example/',
      'com.example.app:/callback',
    ]
    assert.equal(
      directive('form-action', targets),
      "'self' https://app.example.org https://app.example.org:8443 http://127.0.0.1:8000 http://localhost:18000 https://xn--bcher-kva.example com.example.app:",
    )
    assert.equal(directive('form-action', []), "'self'")
  })

  it('allow an IPv6 address by its port only, and only on the loopback interface', () => {
    assert.equal(directive('form-action', ['http://[::1]:8000/']), "'self' http://*:8000")
    assert.equal(directive('form-action', ['http://[::1]/']), "'self' http://*")
    assert.throws(() => headersOf(['https://[2001:db8::1]/']), TypeError)
  })

  const HOSTILE = [
    "https://a;script-src 'unsafe-inline'",
    'https://a;b/',
    'https://a,b/',
    "https://a'b/",
    'https://*.example.org/',
    'https://*/',
    'javascript:alert(1)',
    'data:text/html,x',
    'blob:https://a.example/x',
    'about:blank',
    '/path',
    '',
    '*',
    "'unsafe-inline'",
  ]
  for (const target of HOSTILE) {
    it(`hostile: refuse ${target || 'an empty text'} as the target of a form`, () =>
      assert.throws(() => headersOf([target]), TypeError))
  }

  it('hostile: contain no line end', () => {
    for (const text of Object.values(headersOf(['https://a.example/\r\nx: y', 'a-b:x\ny']))) {
      assert.match(text, /^[\x20-\x7e]+$/)
    }
  })

  it('demand TLS of browsers (HSTS), except on loopback hosts', () => {
    const LOCAL = [
      'http://id.example.org',
      'https://localhost:8443',
      'https://id.localhost',
      'https://127.0.0.1',
      'https://[::1]:1',
    ]
    for (const origin of LOCAL) {
      assert.equal(headersOf([], origin)['strict-transport-security'], undefined, origin)
    }
    assert.equal(
      headersOf([], 'https://1.example')['strict-transport-security'],
      'max-age=31536000',
    )
  })
})
