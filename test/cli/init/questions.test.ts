// `countersign init` at a terminal: it asks for what no option has.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ROOT } from '../../docs/markdown.ts'
import { atTerminal, skipWithoutTerminal, type AtTerminal } from '../../servers/terminal.ts'
import { temporaryFolder } from '../../servers/temporary.ts'

const init = (...args: readonly string[]): AtTerminal =>
  atTerminal([process.execPath, join(ROOT, 'src/countersign.ts'), 'init', ...args], {})

describe('countersign init at a terminal', { skip: skipWithoutTerminal() }, () => {
  it('asks for upstream, ways in and way out, again after a wrong answer', async () => {
    await using folder = await temporaryFolder()
    await using terminal = init(folder.file('gateway'))
    await terminal.shows(/Application \[127\.0\.0\.1:3000\]: /)
    terminal.type('app.example.org:80')
    await terminal.shows(/is on another machine[^]*Application \[127\.0\.0\.1:3000\]: /)
    terminal.type('127.0.0.1:4000')
    await terminal.shows(/Ways in \(password, [^)]*\) \[password\]: /)
    terminal.type('password, api-key')
    await terminal.shows(/Way out \(headers, [^)]*\) \[headers\]: /)
    terminal.type('token')
    const { status, screen } = await terminal.ended
    assert.equal(status, 0, screen)
    assert.match(screen, /The password of alice is \S+\./)
    const text = await readFile(folder.file('gateway/countersign.yaml'), 'utf8')
    assert.match(text, /authenticate: \[password, api-key\]/)
    assert.match(text, /bearer: \{ mint: /)
    assert.match(text, /address: 127\.0\.0\.1:4000/)
  })

  it('takes an empty answer for the default, and asks nothing that an option has', async () => {
    await using folder = await temporaryFolder()
    await using terminal = init(folder.file('gateway'), '--in', 'certificate', '--out', 'headers')
    await terminal.shows(/Application \[127\.0\.0\.1:3000\]: /)
    terminal.type('')
    const { status, screen } = await terminal.ended
    assert.equal(status, 0, screen)
    assert.doesNotMatch(screen, /Ways in|Way out/)
    const text = await readFile(folder.file('gateway/countersign.yaml'), 'utf8')
    assert.match(text, /address: 127\.0\.0\.1:3000/)
    assert.match(text, /authenticate: \[certificate\]/)
  })
})
