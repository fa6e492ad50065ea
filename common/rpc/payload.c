#include "common/rpc/payload.h"

#include <grpc/byte_buffer_reader.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/rpc/payload_slice.h"

struct rpc_payload {
    atomic_int references;
    grpc_slice slice; /* counts its own references, one for each send under way */
};

static struct rpc_payload *payload_new(size_t size)
{
    struct rpc_payload *payload = mem_new(struct rpc_payload);

    atomic_init(&payload->references, 1);
    payload->slice = grpc_slice_malloc(size);
    return payload;
}

struct rpc_payload *rpc_payload_pack(const ProtobufCMessage *message)
{
    struct rpc_payload *payload = payload_new(protobuf_c_message_get_packed_size(message));

    (void)protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(payload->slice));
    return payload;
}

struct rpc_payload *rpc_payload_copy(const void *bytes, size_t size)
{
    struct rpc_payload *payload = payload_new(size);

    if (size > 0) {
        memcpy(GRPC_SLICE_START_PTR(payload->slice), bytes, size);
    }
    return payload;
}

struct rpc_payload *rpc_payload_ref(struct rpc_payload *payload)
{
    (void)atomic_fetch_add_explicit(&payload->references, 1, memory_order_relaxed);
    return payload;
}

struct rpc_payload *rpc_payload_unref(struct rpc_payload *payload)
{
    if (payload && atomic_fetch_sub_explicit(&payload->references, 1, memory_order_acq_rel) == 1) {
        grpc_slice_unref(payload->slice);
        free(payload);
    }
    return NULL;
}

size_t rpc_payload_size(const struct rpc_payload *payload)
{
    return GRPC_SLICE_LENGTH(payload->slice);
}

grpc_byte_buffer *rpc_payload_buffer(const struct rpc_payload *payload)
{
    grpc_slice slice = payload->slice;

    return grpc_raw_byte_buffer_create(&slice, 1);
}

grpc_byte_buffer *rpc_pack_buffer(const ProtobufCMessage *message)
{
    grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));

    (void)protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));

    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);

    grpc_slice_unref(slice);
    return buffer;
}

grpc_slice rpc_buffer_slice(grpc_byte_buffer *buffer)
{
    grpc_byte_buffer_reader reader;
    grpc_slice *first = NULL;

    if (!grpc_byte_buffer_reader_init(&reader, buffer)) {
        return grpc_empty_slice();
    }
    /* Mostly the message came in one piece, and need not be copied. */
    if (grpc_byte_buffer_length(buffer) == 0) {
        grpc_byte_buffer_reader_destroy(&reader);
        return grpc_empty_slice();
    }

    grpc_slice whole;

    if (grpc_byte_buffer_reader_peek(&reader, &first) &&
        GRPC_SLICE_LENGTH(*first) == grpc_byte_buffer_length(buffer)) {
        whole = grpc_slice_ref(*first);
    } else {
        grpc_byte_buffer_reader_destroy(&reader);
        (void)grpc_byte_buffer_reader_init(&reader, buffer);
        whole = grpc_byte_buffer_reader_readall(&reader);
    }
    grpc_byte_buffer_reader_destroy(&reader);
    return whole;
}
