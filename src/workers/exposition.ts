// The pages of Prometheus of several processes as one: what is counted is added up, and each gauge has its own rule.

/** The lines of one metric. */
interface Family {
  readonly help: string
  readonly type: string
  /** Values by series: its name and its labels. */
  readonly series: Map<string, number>
}

/** A page, by the names of its metrics. */
export type Families = ReadonlyMap<string, Family>

/** Reads the text format of Prometheus, as a page of this program has it. */
export const readPage = (text: string): Families => {
  const families = new Map<string, Family>()
  let help = ''
  let current: Family | undefined
  for (const line of text.split('\n')) {
    const described = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line)
    if (described !== null) {
      const [, word, name = '', rest = ''] = described
      if (word === 'HELP') help = rest
      else {
        current = { help, type: rest, series: new Map() }
        families.set(name, current)
      }
      continue
    }
    const at = line.lastIndexOf(' ')
    if (at > 0) current?.series.set(line.slice(0, at), numberOf(line.slice(at + 1)))
  }
  return families
}

/** Writes it. */
export const writePage = (families: Families): string =>
  [...families]
    .map(([name, { help, type, series }]) => {
      const lines = [...series].map(([key, value]) => `${key} ${numberText(value)}\n`)
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
    })
    .join('\n')

const numberOf = (text: string): number => Number(text.replace('Inf', 'Infinity'))

const numberText = (value: number): string => {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return String(value)
}

type Rule = (one: number, other: number) => number

const add: Rule = (one, other) => one + other

/** Equal in all workers, as long as they have the same configuration; a store that they share; an age. */
const LARGEST: ReadonlySet<string> = new Set([
  'countersign_build_info',
  'countersign_config_generation',
  'countersign_config_last_reload_success_timestamp_seconds',
  'countersign_grant_key_age_seconds',
  'countersign_lockouts',
  'countersign_sessions',
  'countersign_signing_key_age_seconds',
  'countersign_signing_key_created_timestamp_seconds',
  'countersign_signing_key_next_timestamp_seconds',
  'countersign_signing_keys',
  'countersign_state_bytes',
  'countersign_state_max_bytes',
  'countersign_state_store_bytes',
  'countersign_state_store_keys',
  'countersign_state_store_max_bytes',
  'countersign_token_keys_age_seconds',
])

/** The worst of all workers: what is up in each, what ends first. */
const SMALLEST: ReadonlySet<string> = new Set([
  'countersign_certificate_not_after_timestamp_seconds',
  'countersign_config_last_reload_successful',
  'countersign_crl_next_update_timestamp_seconds',
  'countersign_dependency_up',
  'countersign_state_up',
  'countersign_token_keys',
])

const ruleOf = (name: string): Rule => {
  if (LARGEST.has(name)) return Math.max
  return SMALLEST.has(name) ? Math.min : add
}

/** Whether the metric is about one process: its memory, its event loop. Each has series of its own. */
const isOfProcess = (name: string): boolean => /^(process|nodejs)_/.test(name)

/** Whether its value only grows while the process runs. */
const isCounted = ({ type }: Pick<Family, 'type'>): boolean =>
  type === 'counter' || type === 'histogram'

/** The page of one process. */
export interface ProcessPage {
  /** The value of the label `worker` of what is about the process alone. */
  readonly worker: string
  readonly families: Families
}

/**
 * All pages as one.
 *
 * @param ended what processes that have ended had counted
 */
export const mergedPages = (pages: readonly ProcessPage[], ended: Families): Families => {
  const merged = new Map<string, Family>()
  for (const { worker, families } of pages) {
    for (const [name, family] of families) {
      const own = isOfProcess(name)
      const into = familyIn(merged, name, family)
      for (const [key, value] of family.series) {
        if (own) into.series.set(labelled(key, worker), value)
        else join(into.series, key, value, ruleOf(name))
      }
    }
  }
  for (const [name, family] of ended) addTo(familyIn(merged, name, family), family)
  return merged
}

/** Adds what a process that has ended had counted, as far as it was read, so that no sum becomes smaller. */
export const retain = (ended: Map<string, Family>, last: Families): void => {
  for (const [name, family] of last) {
    if (isCounted(family) && !isOfProcess(name)) addTo(familyIn(ended, name, family), family)
  }
}

const familyIn = (families: Map<string, Family>, name: string, { help, type }: Family): Family => {
  const known = families.get(name)
  if (known !== undefined) return known
  const family = { help, type, series: new Map<string, number>() }
  families.set(name, family)
  return family
}

const addTo = (into: Family, { series }: Family): void => {
  for (const [key, value] of series) join(into.series, key, value, add)
}

const join = (series: Map<string, number>, key: string, value: number, rule: Rule): void => {
  const known = series.get(key)
  series.set(key, known === undefined ? value : rule(known, value))
}

/** The series with one more label. */
const labelled = (key: string, worker: string): string => {
  const open = key.indexOf('{')
  const label = `worker="${worker}"`
  return open < 0 ? `${key}{${label}}` : `${key.slice(0, open)}{${label},${key.slice(open + 1)}`
}
