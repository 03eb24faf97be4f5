// Puts a query to several sources at once. Standard input: {"query": …, "sources": […]}; the folder that holds Comunica is
// the one argument. Standard output: the rows as JSON. What each source is, Comunica finds out by itself.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const { QueryEngine } = createRequire(`${process.argv[2]}/`)("@comunica/query-sparql");
const { query, sources } = JSON.parse(await text(process.stdin));
const rows = await (await new QueryEngine().queryBindings(query, { sources })).toArray();
const shown = rows.map((row) => Object.fromEntries([...row].map(([variable, term]) => [variable.value, term.value])));
process.stdout.write(JSON.stringify(shown));
