// The pages of a configuration file: an index, and a page for each key at the top, with an example and every key
// below it.

import type { z } from 'zod'
import { block, code, table, type ReferencePage } from './markdown.ts'
import {
  defaultOf,
  objectsBelow,
  schemaNode,
  typeOf,
  type SchemaNode,
  type SchemaObject,
} from './schema-node.ts'

/** A configuration file. */
export interface ConfigurationReference {
  readonly name: 'countersign.yaml' | 'signer.yaml'
  readonly schema: z.ZodType
  /** The file with the schema, for those who edit the page. */
  readonly from: string
  /** A valid configuration with every key at the top: each page shows its part. */
  readonly example: string
  /** Keys whose change needs a restart, with all below them. */
  readonly restart: readonly string[]
  /** Keys below those that need none. */
  readonly reloaded: readonly string[]
}

/** The index and the page of each key. */
export const configurationPages = (reference: ConfigurationReference): readonly ReferencePage[] => {
  const root = schemaNode(reference.schema)
  const keys = Object.entries(root.properties ?? {})
  return [
    indexPage(reference, root),
    ...keys.map(([key, node]) => keyPage(reference, key, node, isRequired(root, key))),
  ]
}

const folderOf = ({ name }: ConfigurationReference): string => name.replace('.', '-')

const isRequired = (node: SchemaNode, key: string): boolean => node.required?.includes(key) === true

const indexPage = (reference: ConfigurationReference, root: SchemaNode): ReferencePage => {
  const folder = folderOf(reference)
  const keys = Object.entries(root.properties ?? {})
  return {
    file: `docs/reference/${folder}.md`,
    title: reference.name,
    from: reference.from,
    body: [
      'The keys at the top. Each has a page with an example and all keys below it. Unknown keys are errors.',
      table(
        ['key', 'required', 'meaning'],
        keys.map(([key, node]) => [
          `[\`${key}\`](${folder}/${key}.md)`,
          isRequired(root, key) ? 'yes' : 'no',
          node.description ?? '',
        ]),
      ),
      '## Types',
      TYPES,
      '## When a change applies',
      restartText(reference),
      '## An example with every key',
      block('yaml', reference.example),
    ],
  }
}

const TYPES = table(
  ['type', 'what is written'],
  [
    ['duration', '`500ms`, `30s`, `5m`, `1h`, `7d`'],
    ['path', 'A file. Relative paths start at the folder of the configuration file'],
    ['secret', '`file:PATH` or `env:NAME`: secrets are never in the configuration'],
    ['address', '`HOST:PORT`, with IPv6 in brackets, or `unix:PATH`'],
    ['name', '1 to 63 lower-case letters, digits, `-` or `_`, beginning with a letter or digit'],
    ['host pattern', 'A host in lower case without a port, `*.` and a host, or `*`'],
    ['instant', 'A date with time and offset (RFC 3339): `2026-11-27T10:00:00Z`'],
    [
      'expression',
      'CEL, type-checked when the file is read: [variables and functions](expressions.md)',
    ],
    ['map', 'Keys of your choice: `NAME` in the headings'],
  ],
)

const restartText = ({ restart, reloaded }: ConfigurationReference): string =>
  [
    'A change of the file, or of a file that it names, applies at once. A change with a problem is rejected as a whole, and the previous configuration stays active.',
    `A change of ${list(restart)} needs a restart; until then the log names the key.`,
    ...(reloaded.length === 0 ? [] : [`${list(reloaded)} are read again without one.`]),
  ].join(' ')

const list = (keys: readonly string[]): string => {
  const last = keys.at(-1) ?? ''
  return keys.length < 2
    ? code(last)
    : `${keys.slice(0, -1).map(code).join(', ')} and ${code(last)}`
}

const keyPage = (
  reference: ConfigurationReference,
  key: string,
  node: SchemaNode,
  required: boolean,
): ReferencePage => {
  const folder = folderOf(reference)
  const fallback = defaultOf(node, required)
  const facts = [
    `Type: ${typeOf(node)}.`,
    ...(required ? ['Required.'] : fallback === '' ? [] : [`Default: ${fallback}.`]),
    restartOf(reference, key),
  ]
  return {
    file: `docs/reference/${folder}/${key}.md`,
    title: key,
    from: `${reference.from} and scripts/reference/examples/${reference.name}`,
    body: [
      `${node.description ?? ''} ${facts.join(' ')} [All keys and types of ${reference.name}](../${folder}.md).`,
      block(`yaml of=${folder}`, partOf(reference.example, key)),
      ...new Sections(reference, key, node).all(),
    ],
  }
}

const restartOf = (reference: ConfigurationReference, key: string): string => {
  if (needsRestart(reference, key)) return 'A change needs a restart.'
  const below = reference.restart.filter((path) => path.startsWith(`${key}.`))
  return below.length === 0
    ? 'A change applies without a restart.'
    : `A change of ${list(below)} needs a restart.`
}

const needsRestart = ({ restart, reloaded }: ConfigurationReference, path: string): boolean =>
  isWithin(path, restart) && !isWithin(path, reloaded)

const isWithin = (path: string, keys: readonly string[]): boolean =>
  keys.some((key) => path === key || path.startsWith(`${key}.`))

/** The lines of one key in an example. */
export const partOf = (example: string, key: string): string => {
  const lines = example.split('\n')
  const start = lines.findIndex((line) => line.startsWith(`${key}:`))
  if (start === -1) throw new Error(`the example has no "${key}"`)
  const length = lines.slice(start + 1).findIndex((line) => /^[^\s#]/.test(line))
  return lines.slice(start, length === -1 ? undefined : start + 1 + length).join('\n')
}

// An object with few keys and none below them has its keys in the table of its parent.
const MOST_INLINE_KEYS = 4

/** The sections of a page. An object that occurs twice, such as a rule in a list of rules, has one section. */
class Sections {
  readonly #reference: ConfigurationReference
  readonly #page: string
  readonly #node: SchemaNode
  /** The path of the section of each object, by its form. */
  readonly #owners = new Map<string, string>()

  constructor(reference: ConfigurationReference, page: string, node: SchemaNode) {
    this.#reference = reference
    this.#page = page
    this.#node = node
    for (const object of sectionsBelow(page, node)) {
      const form = formOf(object.node)
      if (!this.#owners.has(form)) this.#owners.set(form, object.path)
    }
  }

  /** A heading and a table for each object. */
  all(): readonly string[] {
    return sectionsBelow(this.#page, this.#node)
      .filter(({ path, node }) => this.#owners.get(formOf(node)) === path)
      .flatMap(({ path, node }) => [...this.#heading(path, node), this.#table(path, node)])
  }

  #heading(path: string, { description }: SchemaNode): readonly string[] {
    if (path === this.#page) return []
    return [
      `<a id="${anchorOf(path)}"></a>`,
      `## \`${path}\``,
      ...(description === undefined ? [] : [description]),
    ]
  }

  #table(path: string, node: SchemaNode): string {
    return table(['key', 'type', 'default', 'meaning'], [...this.#rows(path, node, '')])
  }

  *#rows(path: string, node: SchemaNode, prefix: string): Generator<readonly string[]> {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      const at = `${path}.${key}`
      yield [
        this.#keyCell(at, `${prefix}${key}`, child),
        typeOf(child),
        defaultOf(child, isRequired(node, key)),
        `${child.description ?? ''}${this.#restart(at)}`,
      ]
      if (isInline(child)) yield* this.#rows(at, child, `${prefix}${key}.`)
    }
  }

  /** The name, linked to the section of the object, which may be that of an equal one. */
  #keyCell(path: string, name: string, child: SchemaNode): string {
    if (isInline(child)) return code(name)
    const [first] = objectsBelow(path, child)
    if (first === undefined) return code(name)
    const target = this.#owners.get(formOf(first.node)) ?? first.path
    return `[${code(name)}](#${anchorOf(target)})`
  }

  #restart(path: string): string {
    const whole = needsRestart(this.#reference, this.#page)
    const needed = needsRestart(this.#reference, path)
    if (whole === needed) return ''
    return needed ? ' A change needs a restart.' : ' A change needs no restart.'
  }
}

/** Each object that has a section, in the order of the schema. */
const sectionsBelow = (path: string, node: SchemaNode): readonly SchemaObject[] =>
  objectsBelow(path, node).flatMap((object) => [
    object,
    ...Object.entries(object.node.properties ?? {}).flatMap(([key, child]) =>
      isInline(child) ? [] : sectionsBelow(`${object.path}.${key}`, child),
    ),
  ])

const isInline = ({ properties }: SchemaNode): boolean => {
  const children = Object.values(properties ?? {})
  return (
    children.length > 0 &&
    children.length <= MOST_INLINE_KEYS &&
    children.every((child) => objectsBelow('', child).length === 0)
  )
}

/** What makes two objects equal, whatever they are for. */
const formOf = ({ properties, required }: SchemaNode): string =>
  JSON.stringify([properties, required])

/** The anchor of a section: the same for every reader of Markdown. */
const anchorOf = (path: string): string =>
  path
    .replaceAll('[]', '')
    .replaceAll(/[^A-Za-z]+/g, '-')
    .toLowerCase()
