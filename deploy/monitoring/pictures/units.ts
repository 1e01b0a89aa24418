// Values with the units that the dashboards use, as Grafana writes them.

const SECONDS = [
  [1e-6, 'µs'],
  [1e-3, 'ms'],
  [1, 's'],
  [60, 'min'],
  [3_600, 'h'],
  [86_400, 'd'],
  [31_536_000, 'y'],
] as const
const BYTES = [
  [1, 'B'],
  [1_024, 'KiB'],
  [1_048_576, 'MiB'],
  [1_073_741_824, 'GiB'],
] as const
const SHORT = [
  [1, ''],
  [1e3, 'K'],
  [1e6, 'M'],
] as const

/** A value in a unit of Grafana: `s`, `ms`, `d`, `bytes`, `percentunit`, `reqps`, `cps`, `short`, `none`. */
export const inUnit = (value: number, unit: string): string => {
  if (!Number.isFinite(value)) return '–'
  if (unit === 's') return scaled(value, SECONDS)
  if (unit === 'ms') return scaled(value / 1e3, SECONDS)
  if (unit === 'd') return scaled(value * 86_400, SECONDS)
  if (unit === 'bytes') return scaled(value, BYTES)
  if (unit === 'percentunit') return `${digits(value * 100)} %`
  if (unit === 'reqps') return `${digits(value)} req/s`
  if (unit === 'cps') return `${digits(value)}/s`
  return scaled(value, SHORT)
}

const scaled = (value: number, steps: readonly (readonly [of: number, name: string])[]): string => {
  if (value === 0) return '0'
  const [of, name] = steps.findLast(([from]) => Math.abs(value) >= from) ?? steps[0] ?? [1, '']
  return `${digits(value / of)}${name === '' ? '' : ` ${name}`}`
}

/** Three significant digits. */
const digits = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toString() : String(Number(value.toPrecision(3)))
