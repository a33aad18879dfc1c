-- Core with the instructions of RV32IM in behavioural VHDL, one instruction per clock, with its RAM
-- in a protected type. Only for tests of the library: it has no CSRs and no interrupts, and stops
-- at an unknown instruction.
library ieee;
use ieee.numeric_std.all;
use ieee.std_logic_1164.all;
use work.vhost_pkg.all;

entity core is
    generic (
        -- Name of the system that owns its RAM.
        SYSTEM : string := ""
    );
    port (
        clk, resetn : in  std_logic;
        trap        : out std_logic := '0'
    );
end entity;

architecture behaviour of core is
    shared variable ram : vhost_memory;
begin
    process
        type registers is array (0 to 31) of word;
        variable x             : registers := (others => (others => '0'));
        variable pc, code      : word := (others => '0');
        variable a, b, r, addr : word;
        variable next_pc       : word;
        variable rd            : natural;
        variable writes        : boolean;
        variable is_known      : boolean;

        function sign (value : unsigned) return word is
        begin
            return unsigned(resize(signed(value), 32));
        end function;

        -- Shift, sum and logic, for operations with an immediate and with two registers.
        impure function alu (one, two : word; other : boolean) return word is
            variable amount : natural;
        begin
            amount := to_integer(two(4 downto 0));
            case code(14 downto 12) is
                when "000" =>
                    if other then
                        return one - two;
                    end if;
                    return one + two;
                when "001" => return shift_left(one, amount);
                when "010" =>
                    if signed(one) < signed(two) then
                        return to_unsigned(1, 32);
                    end if;
                    return to_unsigned(0, 32);
                when "011" =>
                    if one < two then
                        return to_unsigned(1, 32);
                    end if;
                    return to_unsigned(0, 32);
                when "100" => return one xor two;
                when "101" =>
                    if other then
                        return unsigned(shift_right(signed(one), amount));
                    end if;
                    return shift_right(one, amount);
                when "110" => return one or two;
                when others => return one and two;
            end case;
        end function;

        impure function multiply (one, two : word) return word is
            variable product : signed(65 downto 0);
            variable left, right : signed(32 downto 0);
        begin
            left := signed('0' & one);
            right := signed('0' & two);
            if code(13 downto 12) /= "11" then
                left := resize(signed(one), 33);
            end if;
            if code(13) = '0' then
                right := resize(signed(two), 33);
            end if;
            product := left * right;
            if code(13 downto 12) = "00" then
                return unsigned(product(31 downto 0));
            end if;
            return unsigned(product(63 downto 32));
        end function;

        impure function divide (one, two : word) return word is
            constant LEAST : word := x"80000000";
        begin
            if two = 0 then
                if code(13) = '1' then
                    return one;
                end if;
                return x"ffffffff";
            end if;
            case code(13 downto 12) is
                when "00" =>
                    if one = LEAST and two = x"ffffffff" then
                        return LEAST;
                    end if;
                    return unsigned(signed(one) / signed(two));
                when "01" => return one / two;
                when "10" =>
                    if one = LEAST and two = x"ffffffff" then
                        return to_unsigned(0, 32);
                    end if;
                    return unsigned(signed(one) rem signed(two));
                when others => return one rem two;
            end case;
        end function;

        impure function taken return boolean is
        begin
            case code(14 downto 12) is
                when "000" => return a = b;
                when "001" => return a /= b;
                when "100" => return signed(a) < signed(b);
                when "101" => return signed(a) >= signed(b);
                when "110" => return a < b;
                when others => return a >= b;
            end case;
        end function;

        impure function loaded return word is
            variable data : word;
        begin
            data := shift_right(ram.load(addr), 8 * to_integer(addr(1 downto 0)));
            case code(14 downto 12) is
                when "000" => return sign(data(7 downto 0));
                when "001" => return sign(data(15 downto 0));
                when "100" => return resize(data(7 downto 0), 32);
                when "101" => return resize(data(15 downto 0), 32);
                when others => return data;
            end case;
        end function;

        procedure store is
            variable strobes : std_logic_vector(3 downto 0);
            variable lane    : natural;
        begin
            lane := to_integer(addr(1 downto 0));
            case code(14 downto 12) is
                when "000" => strobes := std_logic_vector(shift_left(unsigned'("0001"), lane));
                when "001" => strobes := std_logic_vector(shift_left(unsigned'("0011"), lane));
                when others => strobes := "1111";
            end case;
            ram.store(addr, shift_left(b, 8 * lane), strobes);
        end procedure;
    begin
        wait until rising_edge(clk);
        if pc = 0 then
            ram.of_system(mb_system(SYSTEM));
        end if;
        if resetn /= '1' then
            pc := (others => '0');
        elsif trap = '0' then
            code := ram.load(pc);
            a := x(to_integer(code(19 downto 15)));
            b := x(to_integer(code(24 downto 20)));
            rd := to_integer(code(11 downto 7));
            next_pc := pc + 4;
            writes := true;
            is_known := true;
            case code(6 downto 0) is
                when "0110111" => r := code(31 downto 12) & x"000";
                when "0010111" => r := pc + (code(31 downto 12) & x"000");
                when "1101111" =>
                    r := next_pc;
                    next_pc := pc + sign(code(31) & code(19 downto 12) & code(20) & code(30 downto 21) & '0');
                when "1100111" =>
                    r := next_pc;
                    next_pc := (a + sign(code(31 downto 20))) and x"fffffffe";
                when "1100011" =>
                    writes := false;
                    if taken then
                        next_pc := pc + sign(code(31) & code(7) & code(30 downto 25) & code(11 downto 8) & '0');
                    end if;
                when "0000011" =>
                    addr := a + sign(code(31 downto 20));
                    r := loaded;
                when "0100011" =>
                    writes := false;
                    addr := a + sign(code(31 downto 25) & code(11 downto 7));
                    store;
                when "0010011" =>
                    r := alu(a, sign(code(31 downto 20)), code(14 downto 12) = "101" and code(30) = '1');
                when "0110011" =>
                    if code(25) = '0' then
                        r := alu(a, b, code(30) = '1');
                    elsif code(14) = '0' then
                        r := multiply(a, b);
                    else
                        r := divide(a, b);
                    end if;
                when "0001111" => writes := false;
                when others => is_known := false;
            end case;
            if is_known then
                if writes and rd /= 0 then
                    x(rd) := r;
                end if;
                pc := next_pc;
            else
                trap <= '1';
            end if;
        end if;
    end process;
end architecture;
