// Where tokens are kept, on each kind of machine.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { tokenFolder } from '../../../../src/cli/login/cache/place.ts'

describe('the folder of cached tokens', () => {
  const home = '/home/alice'
  const CASES: readonly {
    name: string
    platform: NodeJS.Platform
    environment?: NodeJS.ProcessEnv
    want: string
  }[] = [
    { name: 'Linux', platform: 'linux', want: '/home/alice/.local/state' },
    {
      name: 'XDG_STATE_HOME',
      platform: 'linux',
      environment: { XDG_STATE_HOME: '/state' },
      want: '/state',
    },
    {
      name: 'XDG_STATE_HOME on macOS',
      platform: 'darwin',
      environment: { XDG_STATE_HOME: '/s' },
      want: '/s',
    },
    {
      name: 'a relative XDG_STATE_HOME, which is ignored',
      platform: 'linux',
      environment: { XDG_STATE_HOME: 'state' },
      want: '/home/alice/.local/state',
    },
    {
      name: 'an empty XDG_STATE_HOME',
      platform: 'linux',
      environment: { XDG_STATE_HOME: '' },
      want: '/home/alice/.local/state',
    },
    { name: 'macOS', platform: 'darwin', want: '/home/alice/Library/Application Support' },
    {
      name: 'Windows (LOCALAPPDATA)',
      platform: 'win32',
      environment: { LOCALAPPDATA: '/local', APPDATA: '/roaming' },
      want: '/local',
    },
    { name: 'Windows without LOCALAPPDATA', platform: 'win32', want: '/home/alice/AppData/Local' },
  ]
  for (const { name, platform, environment = {}, want } of CASES) {
    it(`is the platform’s: ${name}`, () => {
      assert.equal(
        tokenFolder({ platform, environment, home }),
        join(want, 'countersign', 'tokens'),
      )
    })
  }
})
