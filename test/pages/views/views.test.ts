// The smaller pages: what each says, and where its forms go.

import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { render, type Html } from '../../../src/pages/html.ts'
import type { Theme } from '../../../src/pages/theme.ts'
import { challengePage } from '../../../src/pages/views/challenge.ts'
import { consentPage } from '../../../src/pages/views/consent.ts'
import { devicePage } from '../../../src/pages/views/device.ts'
import { interruptedPage } from '../../../src/pages/views/interrupted.ts'
import { messagePage } from '../../../src/pages/views/message.ts'
import { confirmLogoutPage, loggedOutPage } from '../../../src/pages/views/logout.ts'
import { contextOf, themeOf, SAMPLES, type AnyContext } from '../../fakes/pages.ts'
import { tagsIn, textOf, titleOf } from './markup.ts'

let theme: Theme
before(async () => {
  theme = await themeOf()
})
const markupOf = (make: (context: AnyContext) => Html): string => render(make(contextOf(theme)))

describe('the challenge page', () => {
  const inputOf = (markup: string): Readonly<Record<string, string>> =>
    tagsIn(markup, 'input').find(({ attributes }) => attributes['name'] === 'answer')?.attributes ??
    {}

  it('shows the message line by line, and one field, hidden or not as RADIUS wants', () => {
    const markup = markupOf((context) =>
      challengePage({ message: ' One\nTwo ', echo: true, numeric: true }, context),
    )
    assert.match(markup, /<bdi>One<\/bdi><br \/><bdi>Two<\/bdi>/)
    const { type, inputmode, autocomplete, 'aria-describedby': described } = inputOf(markup)
    assert.deepEqual(
      { type, inputmode, autocomplete, described },
      { type: 'text', inputmode: 'numeric', autocomplete: 'one-time-code', described: 'question' },
    )
    const secret = markupOf((context) => challengePage({ message: '', echo: false }, context))
    assert.equal(inputOf(secret)['type'], 'password')
    assert.match(textOf(secret), /one-time code/)
  })

  it('can be cancelled without an answer', () => {
    const markup = markupOf((context) => challengePage({ message: 'x', echo: true }, context))
    const [first, cancel] = tagsIn(markup, 'button')
    assert.equal(first?.attributes['formaction'], undefined, 'which Enter presses')
    assert.equal(cancel?.attributes['formaction'], '/interaction/abc/cancel')
    assert.ok('formnovalidate' in (cancel?.attributes ?? {}))
  })

  it('says what is wrong with an answer', () => {
    const CASES = [
      { problem: { kind: 'missing' }, want: /^The answer is missing/, invalid: 'true' },
      { problem: { kind: 'wrong' }, want: /^Wrong answer/, invalid: 'true' },
      { problem: { kind: 'expired' }, want: /^The question has expired/, invalid: undefined },
      { problem: { kind: 'unavailable' }, want: /^Logging in is temporarily/, invalid: undefined },
      { problem: { kind: 'locked', seconds: 30 }, want: /^Too many/, invalid: undefined },
    ] as const
    for (const { problem, want, invalid } of CASES) {
      const markup = markupOf((context) =>
        challengePage({ message: 'x', echo: true, problem }, context),
      )
      assert.match(titleOf(markup), want)
      assert.equal(inputOf(markup)['aria-invalid'], invalid)
      const described = invalid === undefined ? 'question' : 'question problem'
      assert.equal(inputOf(markup)['aria-describedby'], described)
    }
  })
})

describe('the consent page', () => {
  it('names client, user, scopes and target, and emphasizes neither answer', () => {
    const consent = SAMPLES.find(({ name }) => name === 'consent')
    assert.ok(consent)
    const markup = markupOf(consent.page)
    const text = textOf(markup)
    for (const want of [
      'Photo Printer',
      'alice',
      'read your user name',
      'read your orders',
      'orders:read',
      'urn:example:other',
      'printer.example.net',
      'email',
    ]) {
      assert.ok(text.includes(want), want)
    }
    const buttons = tagsIn(markup, 'button').map(({ attributes }) => attributes)
    assert.deepEqual(
      buttons.map((attributes) => [attributes['name'], attributes['value'], attributes['class']]),
      [
        ['answer', 'allow', undefined],
        ['answer', 'deny', undefined],
      ],
    )
  })

  it('hostile: displays a scope that is a property of Object by its name alone', () => {
    const markup = markupOf((context) =>
      consentPage(
        {
          client: 'a',
          user: 'b',
          scopes: [{ name: 'constructor' }, { name: '__proto__' }],
          goesTo: 'c',
        },
        context,
      ),
    )
    assert.match(markup, /<code><bdi>constructor<\/bdi><\/code>/)
    assert.ok(!markup.includes('function'))
  })
})

describe('the device page', () => {
  it('sends the parameters that the authorization server reads', () => {
    const markup = markupOf((context) =>
      devicePage({ step: 'confirm', client: 'kubectl', code: 'WDJB-MJHT' }, context),
    )
    const hidden = tagsIn(markup, 'input').map(({ attributes }) => attributes)
    assert.ok(hidden.some(({ name, value }) => name === 'user_code' && value === 'WDJB-MJHT'))
    assert.deepEqual(
      tagsIn(markup, 'button').map(({ attributes }) => [attributes['name'], attributes['value']]),
      [
        ['confirm', 'yes'],
        ['abort', 'yes'],
      ],
    )
    assert.match(textOf(markup), /If you received the code or the link from another person, cancel/)
  })

  it('says what is wrong with a code', () => {
    for (const problem of ['unknown', 'expired', 'failed'] as const) {
      const markup = markupOf((context) =>
        devicePage({ step: 'enter', code: 'AAAA', problem }, context),
      )
      assert.match(titleOf(markup), /^(Unknown code|This code|The code could not)/)
    }
  })
})

describe('the logout page', () => {
  it('sends the parameters that the authorization server reads', () => {
    const markup = markupOf((context) => confirmLogoutPage({}, context))
    const [yes, no] = tagsIn(markup, 'button').map(({ attributes }) => attributes)
    assert.deepEqual([yes?.['name'], yes?.['value'], no?.['name']], ['logout', 'yes', undefined])
  })

  it('links to a safe address only, named by its host', () => {
    const goOn = (text: string): string =>
      markupOf((context) => loggedOutPage({ goOn: text }, context))
    assert.match(textOf(goOn('https://app.example.org/x')), /Continue to app\.example\.org/)
    assert.match(textOf(goOn('/x')), /Continue to Countersign/)
    for (const text of ['javascript:alert(1)', 'http://app.example.org/', '//evil.example']) {
      assert.equal(tagsIn(goOn(text), 'a').length, 0, text)
    }
  })
})

describe('a message page', () => {
  it('says what happened, what to do, and the id to search for', () => {
    const markup = markupOf((context) =>
      messagePage(
        { message: 'denied', tone: 'error', id: { kind: 'decision', id: 'd-1' } },
        context,
      ),
    )
    assert.equal(titleOf(markup), 'Error – Access denied – Countersign')
    assert.match(
      textOf(markup),
      /do not have access to this service\. What you can do: .* Decision id: d-1/,
    )
    const notice = markupOf((context) =>
      messagePage({ message: { title: 'A', what: 'B' }, tone: 'notice' }, context),
    )
    assert.equal(titleOf(notice), 'A – Countersign')
    assert.ok(!textOf(notice).includes('What you can do'))
  })

  it('leads back to a safe address only', () => {
    const back = (text: string): number =>
      tagsIn(
        markupOf((context) =>
          messagePage({ message: 'expired', tone: 'error', back: text }, context),
        ),
        'a',
      ).length
    assert.equal(back('https://app.example.org/'), 1)
    assert.equal(back('javascript:alert(1)'), 0)
    assert.equal(back('//evil.example/'), 0)
  })
})

describe('the interrupted form', () => {
  it('opens the login in another tab, which does not get hold of this one', () => {
    const markup = markupOf((context) => interruptedPage({ logIn: '/login' }, context))
    const [link] = tagsIn(markup, 'a')
    const { href, target, rel } = link?.attributes ?? {}
    assert.deepEqual([href, target, rel], ['/login', '_blank', 'noopener'])
    assert.match(textOf(markup), /when you sent this form\s?\. It was not\s+forwarded/)
  })

  it('hostile: has no login that runs code', () => {
    assert.throws(
      () => markupOf((context) => interruptedPage({ logIn: 'javascript:alert(1)' }, context)),
      TypeError,
    )
  })
})
