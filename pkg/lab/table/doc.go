// Package table is Amazon DynamoDB in memory: the tables of one account in one
// Region.
//
// It takes API calls as JSON bodies of the protocol's version 20120810 (Parse)
// and gives the answers, and the errors with their texts, that DynamoDB gives
// (Tables.Do). It never opens a connection, checks a signature or decides who
// may do what: Needs says what a call asks for, and the lab decides. A Tables
// is for one call at a time; its answers may be encoded while others run,
// since items are never changed in place.
//
// What it does with care: condition, filter, projection, key and update
// expressions in their whole grammar, with AWS's reserved words, its checks on
// operands and its refusal of names and values that are not used; numbers of
// 38 digits; item sizes and their limits; transactions that are done or not
// done as a whole, with a reason for each step and tokens that make a
// repetition harmless for ten minutes; pages of 1 MB.
//
// What it does not: indexes, streams, PartiQL, backups, capacity (it is asked
// for and not told), the parameters that expressions replaced (Expected,
// KeyConditions and their like), and expiry by itself: Expire removes what has
// expired when it is asked to. A parameter that it does not know is refused
// and not passed over.
//
// Where AWS's documentation is silent it chooses: size counts a text's UTF-8
// bytes; <> holds when one side is missing; a scan goes through partitions in
// an order that is neither that of the keys nor that of their making; a token
// of a transaction that was canceled may be used again.
package table
