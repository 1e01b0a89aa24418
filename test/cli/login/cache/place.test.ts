// Where tokens are kept, on each kind of machine.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { tokenFolder } from '../../../../src/cli/login/cache/place.ts'

describe('the folder of the tokens', () => {
  const home = '/home/alice'
  const CASES: readonly {
    name: string
    platform: NodeJS.Platform
    environment?: NodeJS.ProcessEnv
    want: string
  }[] = [
    { name: 'Linux', platform: 'linux', want: '/home/alice/.local/state' },
    { name: 'XDG', platform: 'linux', environment: { XDG_STATE_HOME: '/state' }, want: '/state' },
    { name: 'XDG on macOS', platform: 'darwin', environment: { XDG_STATE_HOME: '/s' }, want: '/s' },
    {
      name: 'a relative XDG, which counts for nothing',
      platform: 'linux',
      environment: { XDG_STATE_HOME: 'state' },
      want: '/home/alice/.local/state',
    },
    {
      name: 'an empty XDG',
      platform: 'linux',
      environment: { XDG_STATE_HOME: '' },
      want: '/home/alice/.local/state',
    },
    { name: 'macOS', platform: 'darwin', want: '/home/alice/Library/Application Support' },
    {
      name: 'Windows, where it does not roam',
      platform: 'win32',
      environment: { LOCALAPPDATA: '/local', APPDATA: '/roaming' },
      want: '/local',
    },
    { name: 'Windows without a word', platform: 'win32', want: '/home/alice/AppData/Local' },
  ]
  for (const { name, platform, environment = {}, want } of CASES) {
    it(`is the right one: ${name}`, () => {
      assert.equal(
        tokenFolder({ platform, environment, home }),
        join(want, 'countersign', 'tokens'),
      )
    })
  }
})
