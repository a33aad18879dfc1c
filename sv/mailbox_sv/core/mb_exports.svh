// Functions that the library calls. It finds them in the scope of this package's `mb_init`. Each
// one forwards to the host of the calling system.

export "DPI-C" function sv_registery_ch;
export "DPI-C" function mb_sv_call;
export "DPI-C" function mb_exited;
export "DPI-C" function mb_report;
export "DPI-C" function mb_print;
export "DPI-C" function mb_served;
export "DPI-C" function mb_written;
export "DPI-C" function mb_bb_mem_write;
export "DPI-C" function mb_bb_mem_read;
export "DPI-C" function mb_bb_mem_write_block;
export "DPI-C" function mb_bb_mem_read_block;

function automatic void sv_registery_ch(input string ch);
    MbHost::calling().register_channel(ch);
endfunction

function automatic longint unsigned mb_sv_call(
    input string ch, input string method, input int unsigned arg_len, input longint unsigned args[16],
    output int unsigned status);
    `MB_PTR given[] = new[16];
    foreach (args[i])
        given[i] = mb_ptr_t'(args[i]);
    return MbHost::calling().answer(ch, method, arg_len, given, status);
endfunction

function automatic void mb_exited(input string ch, input int unsigned code);
    MbHost::calling().exited(ch, code);
endfunction

function automatic void mb_report(input int severity, input string id, input string msg);
    MbHost::calling().library_report(mb_severity_e'(severity), id, msg);
endfunction

function automatic void mb_print(input string ch, input string text);
    MbHost::calling().hooks.line(ch, text);
endfunction

function automatic void mb_served(
    input string ch, input int unsigned slot, input int unsigned action, input int unsigned words,
    input longint unsigned args[20], input int unsigned ticks, input int unsigned answered,
    input longint unsigned result);
    MbHost::calling().hooks.served(ch, slot, action, words, args, ticks, answered != 0, result);
endfunction

function automatic void mb_written(
    input string space, input longint unsigned addr, input int unsigned len, input byte unsigned data[64]);
    MbHost::calling().hooks.written(space, addr, len, data);
endfunction

function automatic void mb_bb_mem_write(input string name, input longint unsigned addr, input byte unsigned data);
    MbAddressable memory = MbHost::calling().memory(name);
    if (memory != null)
        memory.write(mb_ptr_t'(addr), data);
endfunction

function automatic void mb_bb_mem_read(input string name, input longint unsigned addr, output byte unsigned data);
    MbAddressable memory = MbHost::calling().memory(name);
    data = 0;
    if (memory != null)
        memory.read(mb_ptr_t'(addr), data);
endfunction

function automatic void mb_bb_mem_write_block(
    input string name, input longint unsigned addr, input int unsigned len, input byte unsigned data[64]);
    MbAddressable memory = MbHost::calling().memory(name);
    if (memory != null)
        memory.write_block(mb_ptr_t'(addr), len, data);
endfunction

function automatic void mb_bb_mem_read_block(
    input string name, input longint unsigned addr, input int unsigned len, output byte unsigned data[64]);
    MbAddressable memory = MbHost::calling().memory(name);
    foreach (data[i])
        data[i] = 0;
    if (memory != null)
        memory.read_block(mb_ptr_t'(addr), len, data);
endfunction
