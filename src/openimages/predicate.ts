/** The `where` of a query: an SQL predicate over box and image columns, and nothing else. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { PkgError } from '../runtime/errors.ts';
import { didYouMean } from '../runtime/suggest.ts';
import { BOX_COLUMNS, IMAGE_COLUMNS } from './openimages.ts';
import { sqlText } from './sql.ts';

/** Functions whose result depends on their arguments alone and that touch nothing outside. */
const ALLOWED_FUNCTIONS: ReadonlySet<string> = new Set([
  ...['+', '-', '*', '/', '//', '%', '||', '~~', '!~~', '~~*', '!~~*', '~~~', '^@'],
  ...['abs', 'ceil', 'ceiling', 'floor', 'round', 'trunc', 'sign', 'greatest', 'least', 'mod'],
  ...['lower', 'upper', 'length', 'strlen', 'trim', 'ltrim', 'rtrim', 'substring', 'substr'],
  ...['left', 'right', 'replace', 'reverse', 'contains', 'starts_with', 'ends_with', 'prefix'],
  ...['suffix', 'instr', 'strpos', 'position', 'regexp_matches', 'regexp_full_match'],
  ...['like_escape', 'not_like_escape', 'ilike_escape', 'not_ilike_escape', 'nullif'],
]);

const ALLOWED_OPERATORS: ReadonlySet<string> = new Set([
  'OPERATOR_NOT',
  'OPERATOR_IS_NULL',
  'OPERATOR_IS_NOT_NULL',
  'OPERATOR_COALESCE',
  'OPERATOR_NULLIF',
  'COMPARE_IN',
  'COMPARE_NOT_IN',
]);

const ALLOWED_CASTS: ReadonlySet<string> = new Set([
  ...['BOOLEAN', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'FLOAT', 'DOUBLE', 'VARCHAR'],
]);

const KNOWN_COLUMNS: readonly string[] = [...new Set<string>([...BOX_COLUMNS, ...IMAGE_COLUMNS])];

/** The one spot of a query where a predicate may stand; a newline ends a trailing comment. */
export function whereClause(predicate: string): string {
  return `WHERE (\n${predicate}\n)`;
}

/**
 * Checks that `predicate` is one boolean expression of comparisons, arithmetic and plain functions
 * over the known columns. DuckDB parses it inside the clause it will stand in, and its tree
 * (`json_serialize_sql`) is walked against a list of what is allowed.
 * @throws PkgError `manifest` at `data.query.where`.
 */
export async function checkPredicate(
  connection: DuckDBConnection,
  predicate: string,
): Promise<void> {
  const statement = `SELECT 1 FROM boxes ${whereClause(predicate)}`;
  const reader = await connection.runAndReadAll(
    `SELECT json_serialize_sql(${sqlText(statement)}::VARCHAR)`,
  );
  const serialized = reader.getRowsJson()[0]?.[0];
  const tree: unknown = JSON.parse(typeof serialized === 'string' ? serialized : 'null');
  const error = field(tree, 'error_message');
  if (typeof error === 'string') throw refuse(`not an SQL predicate: ${error}`);
  const statements = field(tree, 'statements');
  const node = Array.isArray(statements) ? field(statements[0], 'node') : undefined;
  if (!Array.isArray(statements) || statements.length !== 1 || !isPlainSelect(node)) {
    throw refuse('expected a predicate, found a statement of its own');
  }
  checkExpression(field(node, 'where_clause'));
}

function isPlainSelect(node: unknown): boolean {
  const empty = ['modifiers', 'group_expressions', 'group_sets'].every((name) => {
    const list = field(node, name);
    return Array.isArray(list) && list.length === 0;
  });
  const absent = ['having', 'qualify', 'sample'].every((name) => field(node, name) === null);
  const ctes = field(field(node, 'cte_map'), 'map');
  return (
    field(node, 'type') === 'SELECT_NODE' &&
    field(field(node, 'from_table'), 'table_name') === 'boxes' &&
    empty &&
    absent &&
    Array.isArray(ctes) &&
    ctes.length === 0
  );
}

function checkExpression(expression: unknown): void {
  const kind = field(expression, 'class');
  switch (kind) {
    case 'CONSTANT':
      return;
    case 'COLUMN_REF':
      checkColumn(field(expression, 'column_names'));
      return;
    case 'COMPARISON':
      checkExpression(field(expression, 'left'));
      checkExpression(field(expression, 'right'));
      return;
    case 'BETWEEN':
      for (const part of ['input', 'lower', 'upper']) checkExpression(field(expression, part));
      return;
    case 'CONJUNCTION':
      checkAll(field(expression, 'children'));
      return;
    case 'OPERATOR':
      checkOne(ALLOWED_OPERATORS, field(expression, 'type'), 'operator');
      checkAll(field(expression, 'children'));
      return;
    case 'FUNCTION':
      checkFunction(expression);
      return;
    case 'CAST':
      checkOne(ALLOWED_CASTS, field(field(expression, 'cast_type'), 'id'), 'type');
      checkExpression(field(expression, 'child'));
      return;
    case 'CASE':
      checkCase(expression);
      return;
    default:
      throw refuse(`${describeClass(kind)} is not allowed`);
  }
}

function checkFunction(expression: unknown): void {
  const name = field(expression, 'function_name');
  const plain =
    field(expression, 'filter') === null &&
    field(expression, 'distinct') === false &&
    (field(expression, 'schema') === '' || field(expression, 'schema') === 'main');
  if (!plain) throw refuse(`the function ${String(name)} is not allowed so`);
  checkOne(ALLOWED_FUNCTIONS, name, 'function');
  checkAll(field(expression, 'children'));
}

function checkCase(expression: unknown): void {
  const branches = field(expression, 'case_checks');
  for (const branch of Array.isArray(branches) ? branches : []) {
    checkExpression(field(branch, 'when_expr'));
    checkExpression(field(branch, 'then_expr'));
  }
  checkExpression(field(expression, 'else_expr'));
}

function checkColumn(names: unknown): void {
  const list = Array.isArray(names) ? names.map(String) : [];
  const [name = ''] = list;
  if (list.length !== 1) throw refuse(`write the column ${list.join('.')} without a table`);
  const known = KNOWN_COLUMNS.some((column) => column.toLowerCase() === name.toLowerCase());
  if (!known) throw refuse(`unknown column "${name}"`, didYouMean(name, KNOWN_COLUMNS));
}

function checkAll(expressions: unknown): void {
  for (const expression of Array.isArray(expressions) ? expressions : []) {
    checkExpression(expression);
  }
}

function checkOne(allowed: ReadonlySet<string>, name: unknown, what: string): void {
  if (typeof name === 'string' && allowed.has(name)) return;
  throw refuse(`the ${what} ${String(name)} is not allowed`);
}

function describeClass(kind: unknown): string {
  const words: Readonly<Record<string, string>> = {
    SUBQUERY: 'a sub-select',
    WINDOW: 'a window function',
    PARAMETER: 'a parameter',
    STAR: '*',
    LAMBDA: 'a lambda',
    COLLATE: 'COLLATE',
  };
  return words[String(kind)] ?? String(kind);
}

function refuse(why: string, suggestion?: string): PkgError {
  return new PkgError('manifest', why, {
    key: 'data.query.where',
    hint:
      suggestion ??
      'A predicate compares columns, such as: NOT IsGroupOf AND XMax - XMin > 0.1. Columns: ' +
        `${KNOWN_COLUMNS.join(', ')}.`,
  });
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}
