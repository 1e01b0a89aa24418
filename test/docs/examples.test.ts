// Every example of the documents is checked: YAML by the engine that reads configurations, commands by the command line.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { blocksIn, blocksOf, isShell, PAGES, placeOf } from './examples/blocks.ts'
import { commandProblems } from './examples/commands.ts'
import { stepsOf } from './examples/console.ts'
import { executionOf } from './examples/executions.ts'
import { makeExampleFiles } from './examples/example-files.ts'
import { commandsIn } from './examples/shell.ts'
import { yamlProblems } from './examples/yaml.ts'

let folder = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-examples-'))
  await makeExampleFiles(folder)
})

after(async () => {
  await rm(folder, { recursive: true })
})

/** Languages of blocks that are not checked, and why. */
const UNCHECKED: Readonly<Record<string, string>> = {
  text: 'what a program prints, or a file of another program without a language',
  ini: 'read by other programs',
  python: 'a file that the test of the tutorial runs',
  mermaid: 'drawn by the test of the site, in a browser',
  diff: 'a change of a file that the page names',
}

const CHECKED = ['yaml', 'json', 'cel', 'sh', 'console']

const blocks = PAGES.flatMap(blocksOf)

describe('every block of the documents', () => {
  for (const page of PAGES) {
    it(`has a language whose examples are checked, or need no check, on ${page}`, () => {
      const unknown = blocksOf(page).filter(
        ({ language }) => !CHECKED.includes(language) && !(language in UNCHECKED),
      )
      assert.deepEqual(unknown.map(placeOf), [])
    })
  }
})

describe('YAML of the documents', () => {
  for (const page of PAGES) {
    const siblings = blocksOf(page)
    for (const block of siblings.filter(({ language }) => language === 'yaml')) {
      it(`is a configuration that can be used at ${placeOf(block)}`, async () => {
        assert.equal((await yamlProblems(block, siblings, folder)).join('\n'), '')
      })
    }
  }
})

describe('commands of the documents', () => {
  for (const block of blocks.filter(({ language }) => language === 'sh')) {
    it(`exist, with their options and files, at ${placeOf(block)}`, async () => {
      assert.equal((await commandProblems(block.text)).join('\n'), '')
    })
  }

  for (const block of blocks.filter(({ language }) => language === 'console')) {
    it(`exist, with their options and files, in the session at ${placeOf(block)}`, async () => {
      const typed = stepsOf(block.text).map(({ command }) => command)
      assert.notEqual(typed.length, 0, 'a session has lines that begin with "$ "')
      const text = typed.join('\n')
      assert.equal((await commandProblems(text)).join('\n'), '')
    })
  }
})

describe('commands of the documents', () => {
  const commands = blocks.filter(isShell)

  for (const block of commands) {
    it(`are executed, or it says why they are not, at ${placeOf(block)}`, () => {
      const execution = executionOf(block)
      assert.ok('by' in execution, 'problem' in execution ? execution.problem : '')
    })
  }

  it('are executed in most blocks', (t) => {
    const counts = Object.groupBy(commands, (block) => {
      const execution = executionOf(block)
      return 'by' in execution ? execution.by : 'unknown'
    })
    const texts = Object.entries(counts).map(([by, { length }]) => `${length} ${by}`)
    t.diagnostic(`${commands.length} blocks of commands: ${texts.join(', ')}`)
    assert.ok((counts['no-run']?.length ?? 0) < commands.length / 5)
  })
})

describe('JSON of the documents', () => {
  for (const block of blocks.filter(({ language }) => language === 'json')) {
    it(`is JSON, whole or one value a line, at ${placeOf(block)}`, () => {
      const lines = block.text.trim().split('\n')
      const isJson = (text: string): boolean => {
        try {
          JSON.parse(text)
          return true
        } catch {
          return false
        }
      }
      assert.ok(isJson(block.text) || lines.every(isJson))
    })
  }
})

describe('CEL of the documents', () => {
  for (const block of blocks.filter(({ language }) => language === 'cel')) {
    it(`compiles as \`when\` of a rule, each line alone, at ${placeOf(block)}`, async () => {
      const lines = block.text.split('\n').filter((line) => line.trim() !== '')
      for (const line of lines) {
        const text = JSON.stringify({ authorize: [{ allow: 'example', when: line }] })
        const rule = { ...block, text, attributes: new Map([['in', 'routes.app']]) }
        assert.equal((await yamlProblems(rule, [], folder)).join('\n'), '', line)
      }
    })
  }
})

describe('the checks of examples', () => {
  const yaml = async (info: string, text: string): Promise<string> => {
    const page = blocksIn('page.md', ['```yaml ' + info, text, '```', ''].join('\n'))
    const [block] = page
    assert.ok(block)
    return (await yamlProblems(block, page, folder)).join('\n')
  }

  it('find an unknown key of a part', async () => {
    assert.match(await yaml('in=routes.app', 'forward: { haeders: kubernetes }'), /haeders/)
  })

  it('find an expression that does not compile', async () => {
    const rule = 'authorize: [{ allow: example, when: \'identity.usr == "a"\' }]'
    assert.match(await yaml('in=routes.app', rule), /usr/)
  })

  it('find an authenticator that does not exist', async () => {
    assert.match(await yaml('', 'routes: [{ name: app, authenticate: [nobody] }]'), /nobody/)
  })

  it('find a test of a policy that fails', async () => {
    const test = `
      tests:
        - name: everyone is refused
          request: { path: /, host: app.example.org }
          identity: { user: alice }
          want: { decision: deny }`
    assert.match(await yaml('', test), /^fails: .*everyone is refused/)
  })

  it('find a test of a policy, or an example of a mapping, that names what is not there', async () => {
    const test = `
      tests:
        - name: a rule that no route has
          request: { path: /, host: app.example.org }
          identity: { user: alice }
          want: { decision: allow, rule: nothing }`
    assert.match(await yaml('', test), /no rule .*nothing/)
    const examples = 'identity: { examples: [{ claims: { sub: alice }, want: { user: bob } }] }'
    assert.match(await yaml('in=authenticators.staff-token', examples), /^fails: /)
  })

  it('find YAML that belongs to no file', async () => {
    assert.match(await yaml('', 'haeders: kubernetes'), /in=PATH/)
    assert.match(await yaml('for=nothing', 'a: b'), /for=nothing/)
  })

  for (const [what, text, problem] of [
    ['an unknown command', 'countersign validat', /unknown command 'validat'/],
    ['an unknown option', 'npx countersign validate --strickt', /unknown option '--strickt'/],
    [
      'a missing option',
      'sudo countersign ca server --dns a.example',
      /'-o, --out <dir>' not specified/,
    ],
    ['a file that is not there', 'helm install c -f deploy/none.yaml', /none.yaml does not exist/],
    ['an unknown program', 'crul https://a.example', /crul is not in the list/],
    ['a script that is not there', 'npm run demos', /no script demos/],
    ['a quote without an end', "curl 'https://a.example", /nterminated|unexpected/i],
    ['a command after a pipe', 'cat a.json | countersign tracee', /unknown command 'tracee'/],
  ] as const) {
    it(`find ${what} in a shell example`, async () => {
      assert.match((await commandProblems(text)).join('\n'), problem)
    })
  }

  it('read the commands of a session with their outputs, over several lines after a backslash', () => {
    const text = 'note\n$ a \\\n    b\nout\nmore\n$ c\n'
    assert.deepEqual(stepsOf(text), [
      { command: 'a \\\n    b', output: 'out\nmore\n' },
      { command: 'c', output: '' },
    ])
  })
  for (const [what, info, problem] of [
    ['commands that nothing executes', '', /needs one of the attributes/],
    ['two executions', 'run no-run="needs a cloud account"', /needs one of the attributes/],
    ['an attribute that does not exist', 'runs', /no attribute runs/],
    ['a reason that is none', 'no-run=later', /needs a reason/],
    ['a test that is not there', 'tested-by=test/none.test.ts', /does not exist/],
    ['a test of other pages', 'tested-by=test/demo.test.ts', /does not read page.md/],
    ['a step of another page', 'step', /no test of test\/e2e follows page.md/],
  ] as const) {
    it(`find ${what}`, () => {
      const [block] = blocksIn('page.md', ['```sh ' + info, 'ls', '```', ''].join('\n'))
      const execution = block && executionOf(block)
      assert.match(execution && 'problem' in execution ? execution.problem : '', problem)
    })
  }

  it('read commands after assignments and in substitutions, without comments and here-documents', () => {
    const text = 'a=$(b "c d" | e) # f\ncat <<EOF > g\nh\nEOF\nX=1 i \\\n  j && k\n'
    assert.deepEqual(commandsIn(text), [['b', 'c d'], ['e'], ['cat'], ['i', 'j'], ['k']])
  })
})
