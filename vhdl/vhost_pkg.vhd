-- Functions of the library for GHDL, by VHPIDIRECT from vhost_ghdl.so. docs/ghdl.md describes each.
--
-- VHDL integers have 32 bits. Addresses and data are their bits, so that 16#8000_0000# is negative:
-- use `word`.
library ieee;
use ieee.numeric_std.all;
use ieee.std_logic_1164.all;

package vhost_pkg is
    subtype word is unsigned(31 downto 0);

    -- ---- Life of the system: an empty path is taken from the environment ----

    -- Builds the system. Returns 0, or -1.
    impure function mb_init (mem : string := ""; mailbox : string := ""; files : string := "") return integer;
    -- Serves one clock. Returns the number of channels that have not exited, -1 after a fatal
    -- error.
    impure function mb_tick return integer;
    -- Doorbell: the next tick reads the mailboxes.
    procedure mb_notify;
    -- Prints the status of all channels.
    procedure mb_status;
    -- Returns the first exit code other than 0; 0 if there was none.
    impure function mb_exit_code return integer;
    procedure mb_shutdown;
    -- Writes a checkpoint to a file. Returns 0, or -1.
    impure function mb_save (file_name : string) return integer;
    impure function mb_restore (file_name : string) return integer;
    -- Shuts down all systems, and ends the process with this status; with 1 in place of 0 if a call
    -- of this package has failed, or after a fatal report.
    procedure mb_quit (status : integer);

    -- ---- Several systems: the first is number 0 ----

    -- Returns the number of the system of this name, which is opened if there is none; 0 for an
    -- empty name, -1 on an error.
    impure function mb_system (name : string) return integer;
    -- Selects the system of later calls. A process selects its system each time that it resumes.
    procedure mb_system_select (system : integer);

    -- ---- Backdoor: 1, 2 or 4 bytes, little endian; 0 on an error ----

    impure function mb_backdoor_read (space : string; address : word; bytes : positive := 4) return word;
    procedure mb_backdoor_write (space : string; address : word; data : word; bytes : positive := 4);

    -- ---- Memories of backend `api`, by words ----

    impure function vhost_load (address : word; system : integer := 0) return word;
    -- Stores the bytes of the word whose strobes are 1.
    procedure vhost_store (
        address : word; data : word; strobes : std_logic_vector(3 downto 0) := "1111"; system : integer := 0);

    -- Memory of words, for a model that is a protected type.
    type vhost_memory is protected
        -- Assigns the memory to this system instead of the first one.
        procedure of_system (number : integer);
        impure function load (address : word) return word;
        procedure store (address : word; data : word; strobes : std_logic_vector(3 downto 0) := "1111");
    end protected;

    -- ---- Methods ----

    -- Takes the next waiting call of firmware. Returns its number, 0 if there is none. After a
    -- reset of its channel, and after mb_shutdown and mb_restore, a call has no arguments, and its
    -- answer is ignored.
    impure function mb_next_call return natural;
    impure function mb_call_is (call : natural; method : string) return boolean;
    impure function mb_call_args (call : natural) return natural;
    -- Low 32 bits of an argument, 0 behind the last one.
    impure function mb_call_arg (call : natural; index : natural) return word;
    procedure mb_answer (call : natural; result : word := (others => '0'));
    procedure mb_no_method (call : natural);
    procedure mb_fail (call : natural);

    -- ---- In C ----

    -- A text with its NUL. The rest of the array is unused.
    subtype c_text is string(1 to 1024);

    impure function ghdl_init (mem, mailbox, files : c_text) return integer;
    attribute foreign of ghdl_init : function is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_init";
    impure function ghdl_tick return integer;
    attribute foreign of ghdl_tick : function is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_tick";
    impure function ghdl_exit_code return integer;
    attribute foreign of ghdl_exit_code : function is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_exit_code";
    procedure ghdl_notify;
    attribute foreign of ghdl_notify : procedure is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_notify";
    procedure ghdl_status;
    attribute foreign of ghdl_status : procedure is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_status";
    procedure ghdl_shutdown;
    attribute foreign of ghdl_shutdown : procedure is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_shutdown";
    impure function ghdl_save (file_name : c_text) return integer;
    attribute foreign of ghdl_save : function is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_save";
    impure function ghdl_restore (file_name : c_text) return integer;
    attribute foreign of ghdl_restore : function is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_restore";
    impure function ghdl_system (name : c_text) return integer;
    attribute foreign of ghdl_system : function is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_system";
    impure function ghdl_is_system (number : integer) return integer;
    attribute foreign of ghdl_is_system : function is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_is_system";
    impure function ghdl_select (number : integer) return integer;
    attribute foreign of ghdl_select : function is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_select";
    procedure ghdl_quit (status : integer);
    attribute foreign of ghdl_quit : procedure is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_quit";
    impure function ghdl_read (space : c_text; address, bytes : integer) return integer;
    attribute foreign of ghdl_read : function is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_read";
    procedure ghdl_write (space : c_text; address, bytes, data : integer);
    attribute foreign of ghdl_write : procedure is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_write";
    impure function ghdl_load (system, address : integer) return integer;
    attribute foreign of ghdl_load : function is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_load";
    procedure ghdl_store (system, address, data, strobes : integer);
    attribute foreign of ghdl_store : procedure is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_store";
    impure function ghdl_next_call return integer;
    attribute foreign of ghdl_next_call : function is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_next_call";
    impure function ghdl_call_is (number : integer; method : c_text) return integer;
    attribute foreign of ghdl_call_is : function is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_call_is";
    impure function ghdl_call_args (number : integer) return integer;
    attribute foreign of ghdl_call_args : function is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_call_args";
    impure function ghdl_call_arg (number, index : integer) return integer;
    attribute foreign of ghdl_call_arg : function is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_call_arg";
    procedure ghdl_answer (number, status, result : integer);
    attribute foreign of ghdl_answer : procedure is "VHPIDIRECT vhost_ghdl.so vhost_ghdl_answer";
end package;

package body vhost_pkg is
    function c (text : string) return c_text is
        variable padded : c_text := (others => NUL);
    begin
        assert text'length < padded'length
            report "vhost: a text has " & integer'image(text'length) & " characters, and may have 1023: " & text
            severity failure;
        padded(1 to text'length) := text;
        return padded;
    end function;

    function no_system (number : integer) return string is
    begin
        return "there is no system " & integer'image(number) & ": give a number that mb_system has returned";
    end function;

    function bits (value : word) return integer is
    begin
        return to_integer(signed(to_x01(std_logic_vector(value))));
    end function;

    function of_bits (value : integer) return word is
    begin
        return unsigned(to_signed(value, 32));
    end function;

    impure function mb_init (mem : string := ""; mailbox : string := ""; files : string := "") return integer is
    begin
        return ghdl_init(c(mem), c(mailbox), c(files));
    end function;

    impure function mb_tick return integer is
    begin
        return ghdl_tick;
    end function;

    procedure mb_notify is
    begin
        ghdl_notify;
    end procedure;

    procedure mb_status is
    begin
        ghdl_status;
    end procedure;

    impure function mb_exit_code return integer is
    begin
        return ghdl_exit_code;
    end function;

    procedure mb_shutdown is
    begin
        ghdl_shutdown;
    end procedure;

    impure function mb_save (file_name : string) return integer is
    begin
        return ghdl_save(c(file_name));
    end function;

    impure function mb_restore (file_name : string) return integer is
    begin
        return ghdl_restore(c(file_name));
    end function;

    impure function mb_system (name : string) return integer is
    begin
        if name'length = 0 then
            return 0;
        end if;
        return ghdl_system(c(name));
    end function;

    procedure mb_system_select (system : integer) is
    begin
        assert ghdl_select(system) = 0
            report "vhost: mb_system_select: " & no_system(system) severity failure;
    end procedure;

    procedure mb_quit (status : integer) is
    begin
        ghdl_quit(status);
    end procedure;

    impure function mb_backdoor_read (space : string; address : word; bytes : positive := 4) return word is
    begin
        return of_bits(ghdl_read(c(space), bits(address), bytes));
    end function;

    procedure mb_backdoor_write (space : string; address : word; data : word; bytes : positive := 4) is
    begin
        ghdl_write(c(space), bits(address), bytes, bits(data));
    end procedure;

    impure function vhost_load (address : word; system : integer := 0) return word is
    begin
        return of_bits(ghdl_load(system, bits(address)));
    end function;

    procedure vhost_store (
        address : word; data : word; strobes : std_logic_vector(3 downto 0) := "1111"; system : integer := 0) is
    begin
        ghdl_store(system, bits(address), bits(data), to_integer(unsigned(strobes)));
    end procedure;

    type vhost_memory is protected body
        variable system : integer := 0;

        procedure of_system (number : integer) is
        begin
            assert ghdl_is_system(number) /= 0 report "vhost: of_system: " & no_system(number) severity failure;
            system := number;
        end procedure;

        impure function load (address : word) return word is
        begin
            return vhost_load(address, system);
        end function;

        procedure store (address : word; data : word; strobes : std_logic_vector(3 downto 0) := "1111") is
        begin
            vhost_store(address, data, strobes, system);
        end procedure;
    end protected body;

    impure function mb_next_call return natural is
    begin
        return ghdl_next_call;
    end function;

    impure function mb_call_is (call : natural; method : string) return boolean is
    begin
        return ghdl_call_is(call, c(method)) /= 0;
    end function;

    impure function mb_call_args (call : natural) return natural is
    begin
        return ghdl_call_args(call);
    end function;

    impure function mb_call_arg (call : natural; index : natural) return word is
    begin
        return of_bits(ghdl_call_arg(call, index));
    end function;

    procedure mb_answer (call : natural; result : word := (others => '0')) is
    begin
        ghdl_answer(call, 0, bits(result));
    end procedure;

    procedure mb_no_method (call : natural) is
    begin
        ghdl_answer(call, 2, 0);
    end procedure;

    procedure mb_fail (call : natural) is
    begin
        ghdl_answer(call, 3, 0);
    end procedure;

    -- ---- In C ----

    impure function ghdl_init (mem, mailbox, files : c_text) return integer is
    begin
        report "VHPIDIRECT is missing" severity failure;
        return 0;
    end function;

    impure function ghdl_tick return integer is
    begin
        report "VHPIDIRECT is missing" severity failure;
        return 0;
    end function;

    impure function ghdl_exit_code return integer is
    begin
        report "VHPIDIRECT is missing" severity failure;
        return 0;
    end function;

    procedure ghdl_notify is
    begin
        report "VHPIDIRECT is missing" severity failure;
    end procedure;

    procedure ghdl_status is
    begin
        report "VHPIDIRECT is missing" severity failure;
    end procedure;

    procedure ghdl_shutdown is
    begin
        report "VHPIDIRECT is missing" severity failure;
    end procedure;

    impure function ghdl_save (file_name : c_text) return integer is
    begin
        report "VHPIDIRECT is missing" severity failure;
        return 0;
    end function;

    impure function ghdl_restore (file_name : c_text) return integer is
    begin
        report "VHPIDIRECT is missing" severity failure;
        return 0;
    end function;

    impure function ghdl_system (name : c_text) return integer is
    begin
        report "VHPIDIRECT is missing" severity failure;
        return 0;
    end function;

    impure function ghdl_is_system (number : integer) return integer is
    begin
        report "VHPIDIRECT is missing" severity failure;
        return 0;
    end function;

    impure function ghdl_select (number : integer) return integer is
    begin
        report "VHPIDIRECT is missing" severity failure;
        return 0;
    end function;

    procedure ghdl_quit (status : integer) is
    begin
        report "VHPIDIRECT is missing" severity failure;
    end procedure;

    impure function ghdl_read (space : c_text; address, bytes : integer) return integer is
    begin
        report "VHPIDIRECT is missing" severity failure;
        return 0;
    end function;

    procedure ghdl_write (space : c_text; address, bytes, data : integer) is
    begin
        report "VHPIDIRECT is missing" severity failure;
    end procedure;

    impure function ghdl_load (system, address : integer) return integer is
    begin
        report "VHPIDIRECT is missing" severity failure;
        return 0;
    end function;

    procedure ghdl_store (system, address, data, strobes : integer) is
    begin
        report "VHPIDIRECT is missing" severity failure;
    end procedure;

    impure function ghdl_next_call return integer is
    begin
        report "VHPIDIRECT is missing" severity failure;
        return 0;
    end function;

    impure function ghdl_call_is (number : integer; method : c_text) return integer is
    begin
        report "VHPIDIRECT is missing" severity failure;
        return 0;
    end function;

    impure function ghdl_call_args (number : integer) return integer is
    begin
        report "VHPIDIRECT is missing" severity failure;
        return 0;
    end function;

    impure function ghdl_call_arg (number, index : integer) return integer is
    begin
        report "VHPIDIRECT is missing" severity failure;
        return 0;
    end function;

    procedure ghdl_answer (number, status, result : integer) is
    begin
        report "VHPIDIRECT is missing" severity failure;
    end procedure;
end package body;
