/* Requests to the origins that skill.toml asks for and the host grants.
 *
 * The world needs `import wasi:http/outgoing-handler@0.2.12;`, and skill.toml a line such as
 * `http = [{ origin = "https://api.example.com", methods = ["GET"], paths = ["/v1/"] }]` under [capabilities].
 *
 *     http_answer_t answer;
 *     const char *error = http_get("https://api.example.com/v1/things", &answer);
 *     if (error == NULL) { .. answer.status, answer.body, answer.length ..; http_free(&answer); }
 *
 * Redirects are not followed: where one leads is another request, which has to be granted, too. */
#ifndef SKILLHALL_HTTP_H
#define SKILLHALL_HTTP_H

#include "text.h"

/* What one write of a stream takes, by its specification. */
#define HTTP_PIECE 4096
/* The longest answer that is read. */
#define HTTP_MOST (4u << 20)

/* One line of a request's head. */
typedef struct {
    const char *name;
    const char *value;
} http_header_t;

/* What is asked. Members that are left out are zero: no lines of its own, no body, no bound of time but the host's. */
typedef struct {
    const char *method;
    const char *url;
    const http_header_t *headers;
    size_t header_count;
    const void *body;
    size_t length;
    uint64_t timeout_ms;
} http_request_t;

/* What came back. `body` has a zero behind its `length` bytes. */
typedef struct {
    uint16_t status;
    uint8_t *body;
    size_t length;
} http_answer_t;

/* Frees what an answer holds. */
static inline void http_free(http_answer_t *answer) {
    free(answer->body);
    *answer = (http_answer_t){0};
}

/* The name that wasi:http has for an error. */
static inline const char *http_error_name(const wasi_http_types_error_code_t *error) {
    static const char *const names[] = {
        "DNS-timeout", "DNS-error", "destination-not-found", "destination-unavailable", "destination-IP-prohibited",
        "destination-IP-unroutable", "connection-refused", "connection-terminated", "connection-timeout", "connection-read-timeout",
        "connection-write-timeout", "connection-limit-reached", "TLS-protocol-error", "TLS-certificate-error", "TLS-alert-received",
        "HTTP-request-denied", "HTTP-request-length-required", "HTTP-request-body-size", "HTTP-request-method-invalid",
        "HTTP-request-URI-invalid", "HTTP-request-URI-too-long", "HTTP-request-header-section-size", "HTTP-request-header-size",
        "HTTP-request-trailer-section-size", "HTTP-request-trailer-size", "HTTP-response-incomplete",
        "HTTP-response-header-section-size", "HTTP-response-header-size", "HTTP-response-body-size",
        "HTTP-response-trailer-section-size", "HTTP-response-trailer-size", "HTTP-response-transfer-coding",
        "HTTP-response-content-coding", "HTTP-response-timeout", "HTTP-upgrade-failed", "HTTP-protocol-error", "loop-detected",
        "configuration-error", "internal-error",
    };
    return error->tag < sizeof names / sizeof names[0] ? names[error->tag] : "internal-error";
}

static inline void http_method_of(const char *name, wasi_http_types_method_t *method) {
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    *method = (wasi_http_types_method_t){.tag = WASI_HTTP_TYPES_METHOD_OTHER};
    method->val.other = text_of(name);
    for (uint8_t index = 0; index < sizeof names / sizeof names[0]; index++) {
        if (strcmp(name, names[index]) == 0) method->tag = index;
    }
}

/* Scheme, authority and path of a URL. */
static inline const char *http_address(const char *url, wasi_http_types_own_outgoing_request_t outgoing) {
    wasi_http_types_borrow_outgoing_request_t request = wasi_http_types_borrow_outgoing_request(outgoing);
    wasi_http_types_scheme_t scheme = {0};
    size_t from;
    if (strncmp(url, "https://", 8) == 0) {
        scheme.tag = WASI_HTTP_TYPES_SCHEME_HTTPS;
        from = 8;
    } else if (strncmp(url, "http://", 7) == 0) {
        scheme.tag = WASI_HTTP_TYPES_SCHEME_HTTP;
        from = 7;
    } else {
        return "HTTP-request-URI-invalid";
    }
    size_t length = strcspn(url + from, "/?#");
    skill_string_t authority = text_of(url + from), path = text_of(url + from + length);
    authority.len = length;
    path.len = strcspn((const char *)path.ptr, "#");
    char *whole = malloc(path.len + 2);
    if (whole == NULL) abort();
    size_t slash = path.len == 0 || path.ptr[0] != '/' ? 1 : 0;
    whole[0] = '/';
    memcpy(whole + slash, path.ptr, path.len);
    skill_string_t target = {.ptr = (uint8_t *)whole, .len = slash + path.len};
    bool is_set = length > 0 && wasi_http_types_method_outgoing_request_set_scheme(request, &scheme) &&
                  wasi_http_types_method_outgoing_request_set_authority(request, &authority) &&
                  wasi_http_types_method_outgoing_request_set_path_with_query(request, &target);
    free(whole);
    return is_set ? NULL : "HTTP-request-URI-invalid";
}

static inline bool http_append(wasi_http_types_own_fields_t fields, const char *name, const char *value) {
    wasi_http_types_field_name_t key = text_of(name);
    wasi_http_types_field_value_t said = {.ptr = (uint8_t *)(uintptr_t)value, .len = strlen(value)};
    wasi_http_types_header_error_t error;
    return wasi_http_types_method_fields_append(wasi_http_types_borrow_fields(fields), &key, &said, &error);
}

static inline const char *http_stream_error(wasi_io_streams_stream_error_t *error) {
    const char *name = error->tag == WASI_IO_STREAMS_STREAM_ERROR_CLOSED ? "connection-terminated" : "HTTP-protocol-error";
    wasi_http_types_error_code_t code;
    if (error->tag == WASI_IO_STREAMS_STREAM_ERROR_LAST_OPERATION_FAILED &&
        wasi_http_types_http_error_code(wasi_io_error_borrow_error(error->val.last_operation_failed), &code)) {
        name = http_error_name(&code);
        wasi_http_types_error_code_free(&code);
    }
    wasi_io_streams_stream_error_free(error);
    return name;
}

static inline const char *http_write(wasi_http_types_own_outgoing_body_t body, const uint8_t *bytes, size_t length) {
    wasi_io_streams_own_output_stream_t stream;
    const char *failed = NULL;
    if (length > 0 && wasi_http_types_method_outgoing_body_write(wasi_http_types_borrow_outgoing_body(body), &stream)) {
        for (size_t done = 0; done < length && failed == NULL; done += HTTP_PIECE) {
            size_t rest = length - done;
            skill_list_u8_t piece = {.ptr = (uint8_t *)(uintptr_t)(bytes + done), .len = rest < HTTP_PIECE ? rest : HTTP_PIECE};
            wasi_io_streams_stream_error_t error;
            if (!wasi_io_streams_method_output_stream_blocking_write_and_flush(wasi_io_streams_borrow_output_stream(stream), &piece, &error)) {
                failed = http_stream_error(&error);
            }
        }
        wasi_io_streams_output_stream_drop_own(stream);
    }
    wasi_http_types_error_code_t code;
    if (failed != NULL) {
        wasi_http_types_outgoing_body_drop_own(body);
    } else if (!wasi_http_types_static_outgoing_body_finish(body, NULL, &code)) {
        failed = http_error_name(&code);
        wasi_http_types_error_code_free(&code);
    }
    return failed;
}

static inline const char *http_read(wasi_io_streams_own_input_stream_t stream, http_answer_t *answer) {
    for (;;) {
        skill_list_u8_t piece;
        wasi_io_streams_stream_error_t error;
        if (!wasi_io_streams_method_input_stream_blocking_read(wasi_io_streams_borrow_input_stream(stream), 65536, &piece, &error)) {
            if (error.tag != WASI_IO_STREAMS_STREAM_ERROR_CLOSED) return http_stream_error(&error);
            wasi_io_streams_stream_error_free(&error);
            return NULL;
        }
        bool is_long = piece.len > HTTP_MOST - answer->length;
        if (!is_long && piece.len > 0) {
            uint8_t *grown = realloc(answer->body, answer->length + piece.len + 1);
            if (grown == NULL) abort();
            memcpy(grown + answer->length, piece.ptr, piece.len);
            answer->body = grown;
            answer->length += piece.len;
            grown[answer->length] = 0;
        }
        skill_list_u8_free(&piece);
        if (is_long) return "HTTP-response-body-size";
    }
}

static inline const char *http_receive(wasi_http_types_own_incoming_response_t response, http_answer_t *answer) {
    wasi_http_types_borrow_incoming_response_t received = wasi_http_types_borrow_incoming_response(response);
    wasi_http_types_own_incoming_body_t body;
    wasi_io_streams_own_input_stream_t stream;
    const char *failed = "HTTP-protocol-error";
    answer->status = wasi_http_types_method_incoming_response_status(received);
    if (wasi_http_types_method_incoming_response_consume(received, &body)) {
        if (wasi_http_types_method_incoming_body_stream(wasi_http_types_borrow_incoming_body(body), &stream)) {
            failed = http_read(stream, answer);
            wasi_io_streams_input_stream_drop_own(stream);
        }
        wasi_http_types_incoming_body_drop_own(body);
    }
    wasi_http_types_incoming_response_drop_own(response);
    if (failed == NULL && answer->body == NULL) {
        answer->body = calloc(1, 1);
        if (answer->body == NULL) abort();
    }
    if (failed != NULL) http_free(answer);
    return failed;
}

static inline const char *http_await(wasi_http_types_own_future_incoming_response_t future, http_answer_t *answer) {
    wasi_http_types_borrow_future_incoming_response_t waiting = wasi_http_types_borrow_future_incoming_response(future);
    wasi_io_poll_own_pollable_t ready = wasi_http_types_method_future_incoming_response_subscribe(waiting);
    wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable(ready));
    wasi_io_poll_pollable_drop_own(ready);
    wasi_http_types_result_result_own_incoming_response_error_code_void_t came;
    const char *failed = "HTTP-protocol-error";
    if (wasi_http_types_method_future_incoming_response_get(waiting, &came) && !came.is_err) {
        if (!came.val.ok.is_err) {
            failed = http_receive(came.val.ok.val.ok, answer);
        } else {
            failed = http_error_name(&came.val.ok.val.err);
            wasi_http_types_error_code_free(&came.val.ok.val.err);
        }
    }
    wasi_http_types_future_incoming_response_drop_own(future);
    return failed;
}

/* Sends a request and reads the whole answer, of at most 4 MiB. Gives NULL and fills `answer`, which is to be freed with http_free(); or the
 * error's name in wasi:http, such as "HTTP-request-denied", and there is no answer. */
static inline const char *http_send(const http_request_t *request, http_answer_t *answer) {
    *answer = (http_answer_t){0};
    wasi_http_types_own_fields_t fields = wasi_http_types_constructor_fields();
    bool are_set = true;
    for (size_t index = 0; index < request->header_count && are_set; index++) {
        are_set = http_append(fields, request->headers[index].name, request->headers[index].value);
    }
    if (request->body != NULL && are_set) {
        char length[24];
        size_t at = sizeof length - 1, rest = request->length;
        length[at] = '\0';
        do {
            length[--at] = (char)('0' + rest % 10);
            rest /= 10;
        } while (rest > 0);
        are_set = http_append(fields, "content-length", length + at);
    }
    if (!are_set) {
        wasi_http_types_fields_drop_own(fields);
        return "HTTP-request-header-size";
    }
    wasi_http_types_own_outgoing_request_t outgoing = wasi_http_types_constructor_outgoing_request(fields);
    wasi_http_types_borrow_outgoing_request_t asked = wasi_http_types_borrow_outgoing_request(outgoing);
    wasi_http_types_method_t method;
    http_method_of(request->method == NULL ? "GET" : request->method, &method);
    const char *failed = http_address(request->url, outgoing);
    if (failed == NULL && !wasi_http_types_method_outgoing_request_set_method(asked, &method)) failed = "HTTP-request-method-invalid";
    wasi_http_types_own_outgoing_body_t body;
    if (failed == NULL && !wasi_http_types_method_outgoing_request_body(asked, &body)) failed = "internal-error";
    if (failed != NULL) {
        wasi_http_types_outgoing_request_drop_own(outgoing);
        return failed;
    }
    wasi_http_types_own_request_options_t options;
    if (request->timeout_ms > 0) {
        options = wasi_http_types_constructor_request_options();
        wasi_http_types_borrow_request_options_t bounds = wasi_http_types_borrow_request_options(options);
        wasi_http_types_duration_t most = request->timeout_ms > UINT64_MAX / 1000000 ? UINT64_MAX : request->timeout_ms * 1000000;
        wasi_http_types_method_request_options_set_connect_timeout(bounds, &most);
        wasi_http_types_method_request_options_set_first_byte_timeout(bounds, &most);
        wasi_http_types_method_request_options_set_between_bytes_timeout(bounds, &most);
    }
    wasi_http_types_own_future_incoming_response_t future;
    wasi_http_types_error_code_t code;
    if (!wasi_http_outgoing_handler_handle(outgoing, request->timeout_ms > 0 ? &options : NULL, &future, &code)) {
        failed = http_error_name(&code);
        wasi_http_types_error_code_free(&code);
        wasi_http_types_outgoing_body_drop_own(body);
        return failed;
    }
    failed = http_write(body, request->body, request->body == NULL ? 0 : request->length);
    if (failed != NULL) {
        wasi_http_types_future_incoming_response_drop_own(future);
        return failed;
    }
    return http_await(future, answer);
}

/* Asks for a page. As http_send(). */
static inline const char *http_get(const char *url, http_answer_t *answer) {
    http_request_t request = {.method = "GET", .url = url};
    return http_send(&request, answer);
}

/* Sends bytes of a type. As http_send(). */
static inline const char *http_post(const char *url, const char *type, const void *body, size_t length, http_answer_t *answer) {
    http_header_t header = {.name = "content-type", .value = type};
    http_request_t request = {.method = "POST", .url = url, .headers = &header, .header_count = 1, .body = body, .length = length};
    return http_send(&request, answer);
}

#endif
