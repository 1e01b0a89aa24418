// Values of JSON that somebody else wrote, before anything is known of their members.

/** A JSON object, or what YAML makes of a mapping. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Whether a value is an object and no array. */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The texts of a list; none where a value is no list. */
export const textsIn = (value: unknown): readonly string[] => {
  const values: readonly unknown[] = Array.isArray(value) ? value : []
  return values.filter((entry) => typeof entry === 'string')
}
