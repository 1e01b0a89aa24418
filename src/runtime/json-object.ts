// Untrusted JSON values, before anything is known of their members.

/** A JSON object, or a YAML mapping as parsed. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Whether a value is an object and no array. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The strings of a list; none if the value is not a list. */
export const textsIn = (value: unknown): readonly string[] => {
  const values: readonly unknown[] = Array.isArray(value) ? value : []
  return values.filter((entry) => typeof entry === 'string')
}
