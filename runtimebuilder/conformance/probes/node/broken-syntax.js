// A handler that does not parse.
exports.handler = async (event => { return event;
