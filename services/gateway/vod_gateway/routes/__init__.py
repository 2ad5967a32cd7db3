"""The routes, by resource; each turns a request into one RPC and its answer into JSON."""
