// The account page: who, how, when and where, and the ways out; also of a user in 2,000 groups.

import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { render, type Html } from '../../../src/pages/html.ts'
import type { Theme } from '../../../src/pages/theme.ts'
import { accountPage, type AccountModel } from '../../../src/pages/views/account.ts'
import { ACCOUNT, contextOf, themeOf, MANY_GROUPS, type AnyContext } from '../../fakes/pages.ts'
import { tagsIn, textOf } from './markup.ts'

let theme: Theme
before(async () => {
  theme = await themeOf()
})
const markupOf = (make: (context: AnyContext) => Html): string => render(make(contextOf(theme)))

describe('the account page', () => {
  const textWith = (model: Partial<AccountModel>): string =>
    markupOf((context) => accountPage({ ...ACCOUNT, ...model }, context))

  it('says which identity is logged in, how, when and where', () => {
    const text = textOf(
      textWith({
        means: [...ACCOUNT.means, { kind: 'provider', name: 'Corp' }, { kind: 'certificate' }],
      }),
    )
    for (const want of [
      /alice Name Alice Example E-mail alice@example\.org 3 groups: dev ops domain admins/,
      /with your password, with a one-time code, with Corp , with your certificate/,
      /3 hours ago \(24 Nov 2026, 11:03 UTC\)/,
      /Firefox, Linux this one from 203\.0\.113\.7/,
      /Safari, iPhone from 2001:db8/,
      /Unknown browser Logged in: 1 minute ago/,
    ]) {
      assert.match(text.replaceAll(/ +/g, ' '), want)
    }
  })

  it('has a button to end each session, labelled with the session', () => {
    const buttons = tagsIn(textWith({}), 'button').filter(
      ({ attributes }) => attributes['name'] === 'session',
    )
    assert.deepEqual(
      buttons.map(({ attributes }) => [attributes['value'], attributes['aria-label']]),
      [
        ['s1', 'Sign out: Firefox, Linux'],
        ['s2', 'Sign out: Safari, iPhone'],
        ['s3', 'Sign out: Unknown browser'],
      ],
    )
  })

  it('shows the first of 2,000 groups, and the rest on demand', () => {
    const markup = textWith({ groups: MANY_GROUPS, groupsOmitted: 37 })
    const [outside = '', inside = ''] = markup.split('<details>')
    const items = (part: string): number => tagsIn(part.split('</details>')[0] ?? '', 'li').length
    assert.equal(items(outside), 8)
    assert.equal(items(inside), 1_992)
    assert.match(textOf(markup), /2,000 groups:.* Show 1,992 more .* 37 more are not used/)
    assert.ok(!textWith({ groups: ['a'] }).includes('<details>'))
    assert.match(textOf(textWith({ groups: ['a'] })), /1 group: a /)
    assert.match(textOf(textWith({ groups: [] })), /in no group/)
  })

  it('hostile: lists a bounded number of sessions', () => {
    const sessions = Array.from({ length: 5_000 }, (_, index) => ({
      id: `s${index}`,
      current: index === 0,
      begun: 0,
    }))
    const markup = textWith({ sessions })
    assert.equal(tagsIn(markup, 'tr').length, 101)
    assert.match(textOf(markup), /And 4,900 more sessions/)
  })

  it('confirms what was done', () => {
    assert.match(textOf(textWith({ done: 'endedAll' })), /All other sessions were ended/)
  })
})
