// The login page: every login method, its text when one fails, and what it never reveals.

import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { LANGUAGES, textsIn } from '../../../src/pages/i18n/catalog.ts'
import { render } from '../../../src/pages/html.ts'
import type { Theme } from '../../../src/pages/theme.ts'
import { loginPage, type LoginModel, type LoginProblem } from '../../../src/pages/views/login.ts'
import { contextOf, FULL_LOGIN, themeOf } from '../../fakes/pages.ts'
import { tagsIn, textOf, titleOf } from './markup.ts'

describe('the login page', () => {
  let theme: Theme
  before(async () => {
    theme = await themeOf()
  })
  const pageOf = (model: LoginModel, language: 'en' | 'de' = 'en'): string =>
    render(loginPage(model, contextOf(theme, language)))
  const field = (markup: string, name: string): Readonly<Record<string, string>> =>
    tagsIn(markup, 'input').find(({ attributes }) => attributes['name'] === name)?.attributes ?? {}
  const focused = (markup: string): readonly string[] =>
    tagsIn(markup).flatMap(({ attributes }) =>
      'autofocus' in attributes ? [attributes['name'] ?? ''] : [],
    )

  it('has fields for a name and a password that browsers can fill in', () => {
    const markup = pageOf({ password: {} })
    assert.equal(field(markup, 'user')['autocomplete'], 'username')
    assert.equal(field(markup, 'user')['type'], 'text')
    assert.equal(field(markup, 'user')['autocapitalize'], 'none')
    assert.equal(field(markup, 'password')['autocomplete'], 'current-password')
    assert.equal(field(markup, 'password')['type'], 'password')
    const labels = tagsIn(markup, 'label').map(({ attributes }) => attributes['for'])
    assert.deepEqual(labels, ['user', 'password'])
    assert.deepEqual(focused(markup), ['user'])
    assert.equal(titleOf(markup), 'Log in – Countersign')
  })

  it('has a form for each login method, each with the CSRF token, by POST', () => {
    const markup = pageOf(FULL_LOGIN)
    const forms = tagsIn(markup, 'form').map(({ attributes }) => attributes)
    assert.deepEqual(
      forms.map(({ action, method }) => [method, action]),
      ['password', 'certificate', 'provider'].map((way) => ['post', `/interaction/abc/${way}`]),
    )
    const tokens = tagsIn(markup, 'input').filter(({ attributes }) => attributes['name'] === 'csrf')
    assert.equal(tokens.length, 3)
    assert.ok(tokens.every(({ attributes }) => attributes['value'] === 'token-of-the-form'))
    const providers = tagsIn(markup, 'button')
      .filter(({ attributes }) => attributes['name'] === 'provider')
      .map(({ attributes }) => attributes['value'])
    assert.deepEqual(providers, ['corp', 'github'])
  })

  it('keeps the fragment of a deep link, except on the way to an upstream IdP', () => {
    const forms = tagsIn(pageOf(FULL_LOGIN), 'form').map(({ attributes }) => attributes)
    assert.deepEqual(
      forms.map((attributes) => 'data-fragment' in attributes),
      [true, true, false],
    )
  })

  it('has a configurable name for the field of its CSRF token', () => {
    const context = { ...contextOf(theme), csrf: { field: 'xsrf', token: 't' } }
    assert.equal(field(render(loginPage({ password: {} }, context)), 'xsrf')['value'], 't')
  })

  it('offers only the configured login methods', () => {
    assert.equal(tagsIn(pageOf({ certificate: true }), 'input').length, 1)
    assert.ok(!pageOf({ certificate: true }).includes('class="or"'))
    assert.equal(tagsIn(pageOf({ password: {}, providers: [] }), 'form').length, 1)
    assert.match(textOf(pageOf({})), /Logging in is not available/)
    const only = pageOf({ providers: [{ id: 'a', name: 'A' }] })
    assert.equal(tagsIn(only, 'button')[0]?.attributes['class'], 'main')
  })

  const PROBLEMS: readonly { problem: LoginProblem; title: string; says: RegExp }[] = [
    { problem: { kind: 'wrong' }, title: 'Wrong user name or password', says: /try again/ },
    { problem: { kind: 'missing', field: 'user' }, title: 'Your user name is missing', says: /./ },
    { problem: { kind: 'locked', seconds: 280 }, title: 'Too many attempts', says: /in 5 minutes/ },
    {
      problem: { kind: 'unavailable' },
      title: 'Logging in is temporarily',
      says: /error of the service/,
    },
    { problem: { kind: 'expired' }, title: 'This page has expired', says: /No data was forwarded/ },
    {
      problem: { kind: 'refused', code: 'user-disabled' },
      title: 'This account is disabled',
      says: /administrator of your account/,
    },
    {
      problem: { kind: 'refused', code: 'password-must-change' },
      title: 'You must change your password',
      says: /Change it as usual/,
    },
    {
      problem: { kind: 'certificate', reason: 'none' },
      title: 'Your browser sent no',
      says: /smart card/,
    },
    {
      problem: { kind: 'certificate', reason: 'refused' },
      title: 'Your certificate was not',
      says: /expired/,
    },
    {
      problem: { kind: 'provider', name: 'Corp' },
      title: 'Login failed',
      says: /with Corp failed/,
    },
  ]
  for (const { problem, title, says } of PROBLEMS) {
    it(`announces the problem first, and says what to do: ${title}`, () => {
      const markup = pageOf({ password: { user: 'alice' }, problem })
      assert.ok(titleOf(markup).startsWith(title), titleOf(markup))
      const [alert, ...more] = tagsIn(markup).filter(
        ({ attributes }) => attributes['role'] === 'alert',
      )
      assert.equal(alert?.attributes['id'], 'problem')
      assert.deepEqual(more, [])
      assert.match(textOf(markup), says)
      assert.equal(field(markup, 'user')['value'], 'alice')
      assert.equal(field(markup, 'password')['value'], undefined)
    })

    it(`has the problem in every language: ${title}`, () => {
      const texts = LANGUAGES.map((language) => textOf(pageOf({ password: {}, problem }, language)))
      assert.equal(new Set(texts).size, LANGUAGES.length)
    })
  }

  it('marks the fields that a problem is about, and focuses the first to be filled in', () => {
    const CASES: readonly [LoginModel, readonly string[], readonly string[]][] = [
      [{ password: { user: 'a' }, problem: { kind: 'wrong' } }, ['user', 'password'], ['password']],
      [{ password: {}, problem: { kind: 'wrong' } }, ['user', 'password'], ['user']],
      [{ password: {}, problem: { kind: 'missing', field: 'user' } }, ['user'], ['user']],
      [
        { password: { user: 'a' }, problem: { kind: 'missing', field: 'password' } },
        ['password'],
        ['password'],
      ],
      [{ password: { user: 'a' }, problem: { kind: 'locked', seconds: 9 } }, [], ['password']],
      [{ password: {}, problem: { kind: 'expired' } }, [], ['user']],
    ]
    for (const [model, wrong, focus] of CASES) {
      const markup = pageOf(model)
      for (const name of ['user', 'password']) {
        const want = wrong.includes(name) ? 'true' : undefined
        assert.equal(field(markup, name)['aria-invalid'], want)
        assert.equal(field(markup, name)['aria-describedby'], want && 'problem')
      }
      assert.deepEqual(focused(markup), focus)
    }
  })

  it('hostile: has no text for a user that does not exist', () => {
    for (const language of LANGUAGES) {
      const { login } = textsIn(language)
      const said = JSON.stringify(login)
      assert.doesNotMatch(
        said,
        /unknown user|does not exist|unbekannter? Benutzer|existiert nicht/i,
      )
    }
  })

  it('hostile: does not put back a name of 10,240 characters', () => {
    assert.equal(
      field(pageOf({ password: { user: 'x'.repeat(256) } }), 'user')['value'],
      'x'.repeat(256),
    )
    const markup = pageOf({ password: { user: 'x'.repeat(10_240) }, problem: { kind: 'wrong' } })
    assert.equal(field(markup, 'user')['value'], undefined)
    assert.deepEqual(focused(markup), ['user'], 'which is to be filled in again')
    assert.ok(markup.length < 10_240)
  })

  it('is smaller than 10 KB, and rendered in less than 100 µs', () => {
    const markup = pageOf({ ...FULL_LOGIN, problem: { kind: 'wrong' } })
    assert.ok(Buffer.byteLength(markup) < 10_240, String(Buffer.byteLength(markup)))
    // The fastest of many batches, so that other processes on the machine do not count.
    const batches = Array.from({ length: 50 }, () => {
      const start = performance.now()
      for (let count = 0; count < 100; count += 1) pageOf(FULL_LOGIN)
      return (performance.now() - start) * 10
    })
    assert.ok(Math.min(...batches) < 100, `${Math.min(...batches)} µs`)
  })
})
