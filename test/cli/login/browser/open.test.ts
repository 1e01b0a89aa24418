// Where a browser is expected, and what opens it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasBrowser, openerOf } from '../../../../src/cli/login/browser/open.ts'

describe('opening a browser', () => {
  const CASES: readonly {
    name: string
    platform: NodeJS.Platform
    environment: NodeJS.ProcessEnv
    want: boolean
  }[] = [
    { name: 'X', platform: 'linux', environment: { DISPLAY: ':0' }, want: true },
    { name: 'Wayland', platform: 'linux', environment: { WAYLAND_DISPLAY: 'w' }, want: true },
    { name: 'a console', platform: 'linux', environment: { DISPLAY: '' }, want: false },
    { name: 'an empty environment', platform: 'linux', environment: {}, want: false },
    { name: 'macOS', platform: 'darwin', environment: {}, want: true },
    {
      name: 'macOS over SSH',
      platform: 'darwin',
      environment: { SSH_CONNECTION: 'x' },
      want: false,
    },
    { name: 'Windows', platform: 'win32', environment: {}, want: true },
  ]
  for (const { name, platform, environment, want } of CASES) {
    it(`${want ? 'is' : 'is not'} expected with ${name}`, () => {
      assert.equal(hasBrowser({ platform, environment }), want)
    })
  }

  it('starts a program without a shell', () => {
    const url = new URL('https://id.example.org/auth?a=1&b=$(id)')
    assert.deepEqual(openerOf('linux', url), ['xdg-open', url.href])
    assert.deepEqual(openerOf('darwin', url), ['open', url.href])
    assert.deepEqual(openerOf('win32', url), ['rundll32', 'url.dll,FileProtocolHandler', url.href])
  })
})
