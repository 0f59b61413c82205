/* The handlers, by resource. Each is a handler_fn of the route table. */
#pragma once

#include "http/route.h"

handler_fn handle_status, handle_health, handle_metrics, handle_openapi, handle_asset;
handler_fn handle_processes;
handler_fn handle_sessions, handle_session_create, handle_session, handle_session_change,
    handle_session_delete;
handler_fn handle_threads, handle_timeline, handle_functions, handle_lines, handle_flamegraph;
handler_fn handle_files, handle_file_lines, handle_file_functions, handle_file_text,
    handle_file_listing;
handler_fn handle_diff;
handler_fn handle_events;
